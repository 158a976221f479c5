-- ledger_balance
-- Grain:   one row.
-- Reads:   quality.ledger_balance.
-- Feeds:   AUD-06.
-- Places where rows in are not rows out + quarantined + excluded.
select count(*)::bigint as n_bad, n_bad > 0 as bad from quality.ledger_balance
