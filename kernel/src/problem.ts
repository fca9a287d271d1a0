/**
 * Every refusal of the platform is a problem (RFC 9457): a stable `code`, one status a code, a sentence that says what
 * to do. A caller's fault is thrown as `Problem`; anything else that is thrown is our fault and becomes `internal`.
 */

/** The table of all codes. A new code is one line here; a code never changes its status. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request does not match the contract' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  duplicate_header: { status: 400, title: 'A header that may appear once was sent several times' },
  idempotency_key_required: { status: 400, title: 'This operation needs the header Idempotency-Key' },
  invalid_amount: { status: 400, title: 'The amount is not valid for its currency' },
  invalid_iban: { status: 400, title: 'The account number is not a valid IBAN' },
  invalid_message: { status: 400, title: 'The ISO 20022 message cannot be taken' },
  invalid_cursor: { status: 400, title: 'The cursor was not issued by this operation' },
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
  payment_limit_exceeded: { status: 403, title: 'The payment is over a limit of the bank' },
  four_eyes_required: { status: 403, title: 'Another member of the staff must decide' },
  not_your_resource: { status: 403, title: 'The resource belongs to another application' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  customer_not_found: { status: 404, title: 'No such customer' },
  account_not_found: { status: 404, title: 'No such account' },
  transaction_not_found: { status: 404, title: 'No such transaction' },
  payment_not_found: { status: 404, title: 'No such payment' },
  consent_not_found: { status: 404, title: 'No such consent' },
  kyc_case_not_found: { status: 404, title: 'No such KYC case' },
  audit_event_not_found: { status: 404, title: 'No such audit event' },
  bulk_payment_not_found: { status: 404, title: 'No such bulk of payments' },
  standing_order_not_found: { status: 404, title: 'No such standing order' },
  beneficiary_not_found: { status: 404, title: 'No such beneficiary' },
  recall_not_found: { status: 404, title: 'No such recall' },
  review_not_found: { status: 404, title: 'No such review' },
  statement_not_found: { status: 404, title: 'No such statement' },
  break_not_found: { status: 404, title: 'No such break' },
  webhook_endpoint_not_found: { status: 404, title: 'No such webhook endpoint' },
  webhook_delivery_not_found: { status: 404, title: 'No such webhook delivery' },
  method_not_allowed: { status: 405, title: 'The method is not allowed at this address' },
  not_acceptable: { status: 406, title: 'None of the accepted media types can be produced' },
  conflict: { status: 409, title: 'The request conflicts with the state of the resource' },
  idempotency_in_flight: { status: 409, title: 'A request with this Idempotency-Key is still being worked on' },
  invalid_state: { status: 409, title: 'The resource is not in a state that allows this' },
  duplicate_payment: { status: 409, title: 'The same payment was initiated a moment ago' },
  customer_not_active: { status: 409, title: 'The customer is not active' },
  cursor_expired: { status: 410, title: 'The events after this cursor are kept no longer' },
  precondition_failed: { status: 412, title: 'The resource has changed since you read it' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key was used with another request' },
  unprocessable: { status: 422, title: 'The request cannot be carried out' },
  consent_limit_exceeded: { status: 403, title: 'The payment is over a limit of the consent' },
  consent_frequency_exceeded: { status: 429, title: 'The consent allows no further access without the customer today' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  bad_gateway: { status: 502, title: 'A system behind this one answered wrongly' },
  unavailable: { status: 503, title: 'The service is not available at the moment' },
  consent_check_unavailable: { status: 503, title: 'The consent cannot be checked at the moment' },
  timeout: { status: 504, title: 'The answer took too long' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A stable, snake_case code a client may switch on. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Further members of the problem body (RFC 9457 §3.2), and headers such as `Retry-After` under `headers`. */
export interface ProblemExtensions {
  [member: string]: unknown;
}

/** A refusal with a code. `extensions` travel in the body; `headers` are set on the answer. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly extensions: ProblemExtensions;
  /** Headers for the answer, such as `Retry-After`. */
  headers: Record<string, string> = {};

  constructor(code: ProblemCode, detail?: string, extensions: ProblemExtensions = {}) {
    super(detail ?? PROBLEMS[code].title);
    this.name = 'Problem';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.title = PROBLEMS[code].title;
    this.detail = detail;
    this.extensions = extensions;
  }

  /** The same problem with headers for its answer: `problem('unavailable').with({ 'Retry-After': '1' })`. */
  with(headers: Record<string, string>): this {
    this.headers = { ...this.headers, ...headers };
    return this;
  }
}

/** Makes (does not throw) a problem: `throw problem('payment_not_found')`. `detail` is shown to the caller: no secrets. */
export function problem(code: ProblemCode, detail?: string, extensions?: ProblemExtensions): Problem {
  return new Problem(code, detail, extensions);
}

/** The wire form of a problem, media type `application/problem+json`. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  correlationId: string;
  instance?: string;
  [member: string]: unknown;
}

/** Turns a problem into its RFC 9457 body. The standard members win over extensions of the same name. */
export function toProblemBody(p: Problem, context: { correlationId: string; instance?: string }): ProblemBody {
  return {
    ...p.extensions,
    type: `urn:kontor:problem:${p.code}`,
    title: p.title,
    status: p.status,
    ...(p.detail === undefined ? {} : { detail: p.detail }),
    code: p.code,
    correlationId: context.correlationId,
    ...(context.instance === undefined ? {} : { instance: context.instance }),
  };
}
