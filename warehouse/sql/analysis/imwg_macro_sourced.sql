-- temp.imwg_sourced(measured, origin, is_bound)
-- Grain:   an aggregate: what the line's own report says, else the laboratory, else a report of another line;
--          not known where report and laboratory of a day contradict each other: they differ by more than a
--          tenth (rounding), or one is above the bound that the other gives ("< x").
-- Reads:   its arguments.
-- Feeds:   temp.imwg_measured.
create or replace temp macro imwg_sourced(measured, origin, is_bound) as
    case
        when
            not coalesce(
                case
                    when bool_or(is_bound and measured is not null and origin = 1)
                        then
                            bool_or(is_bound and measured is not null and origin = 2)
                            or imwg_single(case when origin = 2 then measured end)
                            <= imwg_single(case when origin = 1 then measured end)
                    when bool_or(is_bound and measured is not null and origin = 2)
                        then
                            imwg_single(case when origin = 1 then measured end)
                            <= imwg_single(case when origin = 2 then measured end)
                    else
                        imwg_single(case when origin = 1 then measured end)
                        = imwg_single(case when origin = 2 then measured end)
                        or abs(
                            try_cast(imwg_single(case when origin = 1 then measured end) as double)
                            - try_cast(imwg_single(case when origin = 2 then measured end) as double)
                        )
                        <= 0.1 * try_cast(max(case when origin in (1, 2) then measured end) as double)
                end,
                imwg_single(case when origin = 1 then measured end) is null
                or imwg_single(case when origin = 2 then measured end) is null
            )
            then null
        else
            coalesce(
                imwg_single(case when origin = 1 then measured end),
                imwg_single(case when origin = 2 then measured end),
                imwg_single(case when origin = 3 then measured end)
            )
    end
