-- analysis.adrs
-- Grain:   OVR: one row per analysed response from the first salvage on; COVR: one per line and day, as far
--          as the next assessment confirms it; BOR, CBOR, RSP, PD: one per patient of the cohort.
-- Reads:   temp.analysed_response, temp.response_confirmed, temp.best_response, temp.first_response,
--          temp.held_response, temp.progression, temp.imwg_period, temp.imwg_depth, temp.timeline, temp.setting, analysis.adsl.
-- Feeds:   nothing; SRCSEQ of analysis.adtte names the same rows.
-- Nothing after the data cut is counted.
-- ANL01FL: one record a day, the worst. ANL02FL: not after the start of the next line. ANL03FL: up to the
-- first progression of the line, that included. Progression (PD) is as reported under every setting.
create or replace table analysis.adrs as
with line_end as (
    select
        period.usubjid,
        period.line_number,
        case
            when period.line_number = timeline.line_number then timeline.next_line_on
            else period.next_line_on
        end as next_line_on,
        progressed.pd_on
    from imwg_period as period
    inner join timeline using (usubjid)
    left join (
        select usubjid, line_number, min(adt) as pd_on
        from analysed_response
        where is_progression and kind != 'BEST'
        group by usubjid, line_number
    ) as progressed
        on period.usubjid = progressed.usubjid and period.line_number = progressed.line_number
),
record as (
    select
        usubjid, 1 as place, 'OVR' as paramcd, 'Response at a time point' as param, line_number, adt, adtf,
        category::varchar as avalc,
        adt is not null
        and row_number() over (partition by usubjid, line_number, adt order by coalesce(depth, 9), row_id) = 1
            as is_first,
        basis, null::varchar as conffl, null::integer as confdy, null::varchar as confwarn,
        domain, 'category' as variable, row_id
    from analysed_response
    where kind != 'BEST'
    union all
    select
        usubjid, 2, 'COVR', 'Confirmed response at a time point', response_confirmed.line_number, adt, null,
        confirmed_category, true, null, confirmation, confirmation_days, warning, domain, 'category', row_id
    from response_confirmed
    inner join timeline using (usubjid)
    cross join setting
    where
        response_confirmed.line_number >= timeline.line_number
        and (setting.data_cut is null or response_confirmed.adt <= setting.data_cut)
),
course as (
    select
        record.*,
        adt is not null and (next_line_on is null or adt <= next_line_on) as is_before_next_line,
        adt is not null and (pd_on is null or adt <= pd_on) as is_to_progression
    from record
    left join line_end using (usubjid, line_number)
),
best_confirmed as (
    select
        course.usubjid,
        arg_max(course, (imwg_depth.place, -epoch(course.adt))) as best
    from course
    inner join timeline using (usubjid, line_number)
    inner join imwg_depth on course.avalc = imwg_depth.category
    where course.paramcd = 'COVR' and course.is_before_next_line and course.adt >= timeline.trtsdt
    group by course.usubjid
),
whole as (
    select
        usubjid, place, paramcd, param, line_number, adt, adtf, avalc,
        case when is_first then 'Y' end as anl01fl,
        case when is_before_next_line then 'Y' end as anl02fl,
        case when is_to_progression then 'Y' end as anl03fl,
        basis, conffl, confdy, confwarn, domain, variable, row_id
    from course
    union all
    select
        timeline.usubjid, 3, 'BOR', 'Best response to the first salvage', timeline.line_number,
        best.adt, best.adtf,
        case when held_response.is_best_open then 'HELD' else coalesce(best.category::varchar, 'MISSING') end,
        'Y', 'Y', 'Y', null, null, null, null,
        best.domain, case when best.domain is not null then 'category' end, best.row_id
    from timeline
    left join held_response using (usubjid)
    left join best_response as best
        on timeline.usubjid = best.usubjid and held_response.is_best_open is distinct from true
    union all
    select
        timeline.usubjid, 4, 'CBOR', 'Best confirmed response to the first salvage', timeline.line_number,
        best.adt, null, case when held_response.is_confirmed_open then 'HELD' else coalesce(best.avalc, 'MISSING') end,
        'Y', 'Y', 'Y', null, best.conffl, best.confdy, best.confwarn, best.domain, best.variable, best.row_id
    from timeline
    left join held_response using (usubjid)
    left join best_confirmed
        on timeline.usubjid = best_confirmed.usubjid and held_response.is_confirmed_open is distinct from true
    union all
    select
        adsl.USUBJID, 5, 'RSP', 'Response (PR or better) to the first salvage, and its first day', adsl.SALVLN,
        case when adsl.RESPFL = 'Y' then first_response.responded_on end,
        case when adsl.RESPFL = 'Y' then first_response.responded_flag end,
        adsl.RESPFL, 'Y', 'Y', 'Y', null, null, null, null,
        case when adsl.RESPFL = 'Y' then first_response.domain end,
        case when adsl.RESPFL = 'Y' and first_response.domain is not null then 'category' end,
        case when adsl.RESPFL = 'Y' then first_response.row_id end
    from analysis.adsl as adsl
    left join held_response on adsl.USUBJID = held_response.usubjid
    left join first_response
        on adsl.USUBJID = first_response.usubjid and held_response.is_first_open is distinct from true
    union all
    select
        timeline.usubjid, 6, 'PD', 'Progression after the start of the first salvage', timeline.line_number,
        pd.pd_on, pd.pd_flag,
        case
            when pd.pd_on is not null or progression.n_undated > 0 then 'Y'
            when progression.held_reason is null then 'N'
        end,
        'Y', 'Y', 'Y', pd.pd_basis, null, null, null, pd.domain, pd.variable, pd.row_id
    from timeline
    cross join setting
    left join progression using (usubjid)
    left join progression as pd
        on timeline.usubjid = pd.usubjid and (setting.data_cut is null or pd.pd_on <= setting.data_cut)
)
select
    setting.study_id as STUDYID,
    whole.usubjid as USUBJID,
    whole.paramcd as PARAMCD,
    whole.param as PARAM,
    case
        when whole.paramcd != 'PD' and setting.response_analysed = 'derived' then 'Derived from measurements'
        else 'Investigator'
    end as PARCAT1,
    'IMWG 2016' as PARCAT2,
    whole.adt as ADT,
    whole.adtf as ADTF,
    case
        when whole.paramcd in ('RSP', 'PD') then case whole.avalc when 'Y' then 1 when 'N' then 0 end
        else response_value.aval
    end as AVAL,
    whole.avalc as AVALC,
    nullif(imwg_depth.depth, 0) as DEPTH,
    whole.anl01fl as ANL01FL,
    whole.anl02fl as ANL02FL,
    whole.anl03fl as ANL03FL,
    whole.line_number as SALVN,
    whole.basis as PDBASIS,
    whole.conffl as CONFFL,
    whole.confdy as CONFDY,
    whole.confwarn as CONFWARN,
    whole.domain as SRCDOM,
    whole.variable as SRCVAR,
    whole.row_id as SRCSEQ,
    row_number() over (
        partition by whole.usubjid
        order by whole.place, whole.line_number, whole.adt nulls last, whole.anl01fl nulls last, whole.row_id, whole.avalc
    )::integer as RSSEQ
from whole
cross join setting
left join response_value on whole.avalc = response_value.category and whole.place <= 4
left join imwg_depth on whole.avalc = imwg_depth.category and whole.place <= 4
order by USUBJID, RSSEQ
