-- A consent that ends takes its codes and tokens along; Kong's own tables have the same two indexes.
create index oauth2_authorization_codes_userid on oauth2_authorization_codes (authenticated_userid);
create index oauth2_tokens_userid on oauth2_tokens (authenticated_userid);
