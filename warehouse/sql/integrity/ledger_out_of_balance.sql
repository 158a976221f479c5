-- integrity.ledger_out_of_balance
-- Grain:   one row per bad case: rows that are lost or doubled between two steps.
-- Reads:   quality.ledger_balance.
-- Feeds:   the publishing: any row refuses it.
FROM quality.ledger_balance
