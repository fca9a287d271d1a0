-- Consents to a bulk of payments: used up like those to a single one.
ALTER TABLE consents
  DROP CONSTRAINT consents_type_check,
  ADD CONSTRAINT consents_type_check CHECK (type IN ('account-access', 'payment', 'variable-recurring', 'bulk-payment', 'funds-confirmation')),
  ADD COLUMN bulk jsonb CHECK ((type = 'bulk-payment') = (bulk IS NOT NULL)),
  DROP CONSTRAINT consents_consumed_are_payments,
  ADD CONSTRAINT consents_consumed_are_payments CHECK (status <> 'consumed' OR type IN ('payment', 'bulk-payment'));
