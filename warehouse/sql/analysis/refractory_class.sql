-- temp.refractory_class
-- Grain:   one row per patient and measure (REFRACTORY, EXPOSED): how many drugs of each class are Y or not
--          known, the status of each class, and the composites as reported. `class_differs` is Y where the tick of
--          a class contradicts its drugs (N with a drug that is Y; Y with every drug of the class N), N where
--          a tick and its drugs agree, else null.
-- Reads:   temp.drug_status, temp.drug_class.
-- Feeds:   temp.refractory.
create or replace temp table refractory_class as
with counted as (
    select
        usubjid,
        measure,
        count(*) filter (where class = 'IMiD') as n_imid,
        count(*) filter (where class = 'IMiD' and status = 'Y') as n_imid_yes,
        count(*) filter (where class = 'IMiD' and status = 'U') as n_imid_unknown,
        max(status) filter (where drug = 'IMID' and status != 'U') as imid_reported,
        count(*) filter (where class = 'PI') as n_pi,
        count(*) filter (where class = 'PI' and status = 'Y') as n_pi_yes,
        count(*) filter (where class = 'PI' and status = 'U') as n_pi_unknown,
        max(status) filter (where drug = 'PI' and status != 'U') as pi_reported,
        count(*) filter (where class = 'CD38') as n_cd38,
        count(*) filter (where class = 'CD38' and status = 'Y') as n_cd38_yes,
        count(*) filter (where class = 'CD38' and status = 'U') as n_cd38_unknown,
        max(status) filter (where drug = 'CD38' and status != 'U') as cd38_reported,
        max(status) filter (where drug = 'TRIPLE' and status != 'U') as triple_reported,
        max(status) filter (where drug = 'PENTA' and status != 'U') as penta_reported
    from drug_status
    group by usubjid, measure
),
class_size as (
    select
        count(*) filter (where class = 'IMiD') as all_imid,
        count(*) filter (where class = 'PI') as all_pi,
        count(*) filter (where class = 'CD38') as all_cd38
    from drug_class
)
select
    counted.*,
    case
        when n_imid_yes >= 1 or imid_reported = 'Y' then 'Y'
        when imid_reported = 'N' or (n_imid > 0 and n_imid_unknown = 0) then 'N'
    end as imid,
    case
        when n_pi_yes >= 1 or pi_reported = 'Y' then 'Y'
        when pi_reported = 'N' or (n_pi > 0 and n_pi_unknown = 0) then 'N'
    end as pi,
    case
        when n_cd38_yes >= 1 or cd38_reported = 'Y' then 'Y'
        when cd38_reported = 'N' or (n_cd38 > 0 and n_cd38_unknown = 0) then 'N'
    end as cd38,
    [
        case
            when n_imid_yes >= 1 then imid_reported = 'N'
            when n_imid - n_imid_unknown = all_imid then imid_reported = 'Y'
        end,
        case
            when n_pi_yes >= 1 then pi_reported = 'N'
            when n_pi - n_pi_unknown = all_pi then pi_reported = 'Y'
        end,
        case
            when n_cd38_yes >= 1 then cd38_reported = 'N'
            when n_cd38 - n_cd38_unknown = all_cd38 then cd38_reported = 'Y'
        end
    ] as differs,
    case
        when list_contains(differs, true) then 'Y'
        when list_contains(differs, false) then 'N'
    end as class_differs
from counted
cross join class_size
