/**
 * The problems the gateway itself answers with. Codes, statuses and titles are those of kernel/problem (a test compares
 * them); they stand here again because the kernel's file does not compile to Lua.
 */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request does not match the contract' },
  duplicate_header: { status: 400, title: 'A header that may appear once was sent several times' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  invalid_token: { status: 401, title: 'The token is not valid' },
  insufficient_scope: { status: 403, title: 'The access token lacks a scope this operation needs' },
  role_required: { status: 403, title: 'The application lacks the role this operation needs' },
  consent_required: { status: 403, title: 'This operation needs the consent of the customer' },
  consent_not_active: { status: 403, title: 'The consent is not active' },
  consent_revoked: { status: 403, title: 'The customer has revoked the consent' },
  consent_withdrawn: { status: 403, title: 'The application has withdrawn the consent' },
  consent_expired: { status: 403, title: 'The consent has expired' },
  consent_consumed: { status: 403, title: 'The consent has been used' },
  consent_permission_missing: { status: 403, title: 'The consent does not include this permission' },
  consent_account_not_covered: { status: 403, title: 'The consent does not cover this account' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'The method is not allowed at this address' },
  not_acceptable: { status: 406, title: 'None of the accepted media types can be produced' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  consent_frequency_exceeded: { status: 429, title: 'The consent allows no further access without the customer today' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  bad_gateway: { status: 502, title: 'A system behind this one answered wrongly' },
  unavailable: { status: 503, title: 'The service is not available at the moment' },
  consent_check_unavailable: { status: 503, title: 'The consent cannot be checked at the moment' },
  timeout: { status: 504, title: 'The answer took too long' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;
