-- What customers authorised, bulks of payments too: so many payments of so much altogether (amount_minor), from one of the accounts
-- named, once. A bulk names no creditor; its empty one equals none, so that no single payment passes under the consent of a bulk.
alter table authorised_consents
  add column transactions integer check (transactions between 1 and 10000),
  add column digest text,
  drop constraint authorised_consents_kind_check,
  add constraint authorised_consents_kind_check check (kind in ('payment', 'variable-recurring', 'bulk-payment')),
  drop constraint authorised_consents_terms_check,
  -- Null only where the end was heard before the beginning.
  add constraint authorised_consents_terms_check check (case
    when kind is null then ended is not null
    else client_id is not null and customer_id is not null and amount_minor is not null and currency is not null
      and creditor_name is not null and creditor_iban is not null and cardinality(debtor_account_ids) > 0
      and (kind <> 'variable-recurring' or (valid_from is not null and valid_until is not null and periodic_limits is not null))
      and (kind = 'bulk-payment') = (transactions is not null) and (kind <> 'bulk-payment' or (creditor_iban = '' and creditor_name = ''))
  end);
