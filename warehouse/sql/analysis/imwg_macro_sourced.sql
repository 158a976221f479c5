-- temp.imwg_sourced(measured, origin)
-- Grain:   an aggregate: what the line's own report says, else the laboratory, else a report of another line.
-- Reads:   its arguments.
-- Feeds:   temp.imwg_measured.
create or replace temp macro imwg_sourced(measured, origin) as
    coalesce(
        imwg_single(case when origin = 1 then measured end),
        imwg_single(case when origin = 2 then measured end),
        imwg_single(case when origin = 3 then measured end)
    )
