/**
 * The portal's rules: what a developer must give to sign up, what an application is, which roles it gets, and when an
 * unfinished registration is over. No clock, no random, no I/O here.
 */
import type { EventContext } from '@kontor/kernel/events';
import { isId } from '@kontor/kernel/ids';
import { problem, type Problem } from '@kontor/kernel/problem';

export interface Developer {
  id: string;
  email: string;
  organisation: string;
}

/** `registering`: the gateway is being told. `active`: it knows. `removing`: it has to forget. */
export type AppStatus = 'registering' | 'active' | 'removing';

/** An application of a developer; `id` is its OAuth2 client id and its consumer's custom id at the gateway. */
export interface App {
  id: string;
  developerId: string;
  name: string;
  redirectUri: string;
  roles: string[];
  status: AppStatus;
  createdAt: Date;
  rotatedAt: Date | null;
}

/** Shown once, kept nowhere by the portal. */
export interface ClientCredentials {
  clientSecret: string;
  apiKey: string;
}

/** All SQL behind one port; writes end in the transaction that also writes their event. */
export interface PortalRepository {
  /** False when the e-mail address is taken. */
  addDeveloper(developer: Developer & { passwordHash: string }): Promise<boolean>;
  developer(id: string): Promise<Developer | undefined>;
  passwordOf(email: string): Promise<{ developerId: string; passwordHash: string } | undefined>;
  /** Writes a row in `registering`. @throws Problem `conflict` when this request came before, `unprocessable` past the bound */
  startRegistration(app: Omit<App, 'status' | 'createdAt' | 'rotatedAt'> & { requestId: string }): Promise<void>;
  /** `registering` → `active`, with app.registered; false when the row is no longer registering. */
  activate(appId: string, context: EventContext): Promise<boolean>;
  apps(developerId: string): Promise<App[]>;
  app(developerId: string, appId: string): Promise<App | undefined>;
  /** Names by client id, of those that are applications of this portal. */
  appNames(clientIds: string[]): Promise<Map<string, string>>;
  /** Claims the right to rotate for `seconds`; undefined when there is no such active app. @throws Problem `conflict` while another has it */
  claimRotation(developerId: string, appId: string, seconds: number): Promise<App | undefined>;
  /** Ends the claim, with app.credentials-rotated. */
  finishRotation(appId: string, context: EventContext): Promise<void>;
  releaseRotation(appId: string): Promise<void>;
  /** Any state → `removing`; false when the developer has no such app. */
  startRemoval(developerId: string, appId: string): Promise<boolean>;
  /** Any state → `removing`, for a registration that failed: also when it became active and the answer of the database was lost. */
  giveUp(appId: string): Promise<void>;
  finishRemoval(appId: string): Promise<void>;
  /** Turns registrations older than `abandonedAfterS` to `removing`, and names what has been removing for `retryAfterS`. */
  unfinished(ages: { abandonedAfterS: number; retryAfterS: number; atMost: number }): Promise<string[]>;
}

/** The gateway's administration, as far as the portal needs it. Every call may be repeated. */
export interface GatewayAdmin {
  addClient(app: Pick<App, 'id' | 'name' | 'redirectUri' | 'roles'>, credentials: ClientCredentials): Promise<void>;
  replaceSecret(app: Pick<App, 'id' | 'name' | 'redirectUri'>, clientSecret: string): Promise<void>;
  /** Ends the client's credentials and tokens; nothing happens when it is unknown. */
  removeClient(appId: string): Promise<void>;
}

export const MOST_APPS = 20;
export const PASSWORD_LENGTH = { least: 12, most: 128 } as const;

/** A registration is abandoned after this: longer than its calls can take together (9 calls, 5 s and one repeat each). */
export const ABANDONED_AFTER_S = 120;

/** Roles of an app (acl groups at the gateway). A bank would grant aisp, pisp and cbpii after seeing the licence (PSD2 art. 5). */
export const rolesOfNewApp = (sandbox: boolean): string[] => ['onboarding', 'aisp', 'pisp', 'cbpii', ...(sandbox ? ['sandbox'] : [])];

/** What a role lets an application do, as its page says it. */
export const ROLE_MEANINGS: Readonly<Record<string, string>> = {
  onboarding: 'registers customers and opens accounts for them',
  aisp: 'account information: reads accounts, balances and transactions a customer consents to show',
  pisp: 'payment initiation: initiates the payments a customer consents to',
  cbpii: 'card-based payment instrument issuer: asks, where a customer consents, whether an amount is available, and learns yes or no',
  sandbox: 'calls the sandbox operations with its API key',
};

export interface FieldError {
  path: string;
  message: string;
}

export interface SignUp { email: string; password: string; organisation: string }

/** @throws Problem `invalid_request` with one error a field */
export function readSignUp(body: unknown): SignUp {
  const [email, organisation] = [normaliseEmail(textOf(body, 'email')), textOf(body, 'organisation').trim()];
  const password = textOf(body, 'password');
  const length = [...password].length;
  refuse([
    !/^[^\s@]{1,64}@[^\s@]+\.[^\s@.]{2,}$/.test(email) || email.length > 254
      ? { path: 'email', message: 'Give an e-mail address, such as you@company.example.' } : undefined,
    length < PASSWORD_LENGTH.least || length > PASSWORD_LENGTH.most
      ? { path: 'password', message: `Choose a password of ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters.` } : undefined,
    password.toLowerCase() === email && length >= PASSWORD_LENGTH.least
      ? { path: 'password', message: 'The password must not be the e-mail address.' } : undefined,
    !isLine(organisation, 2, 100) ? { path: 'organisation', message: 'Name your organisation, in 2 to 100 characters.' } : undefined,
  ]);
  return { email, password, organisation };
}

export interface NewApp { name: string; redirectUri: string; requestId: string | undefined }

/** @throws Problem `invalid_request` with one error a field */
export function readNewApp(body: unknown): NewApp {
  const [name, redirectUri, requestId] = [textOf(body, 'name').trim(), textOf(body, 'redirectUri').trim(), textOf(body, 'requestId')];
  const fault = redirectUriFault(redirectUri);
  refuse([
    !isLine(name, 2, 60) ? { path: 'name', message: 'Give a name of 2 to 60 characters; customers see it when they consent.' } : undefined,
    fault ? { path: 'redirectUri', message: fault } : undefined,
    requestId !== '' && !isId(requestId) ? { path: 'requestId', message: 'Must be a UUID.' } : undefined,
  ]);
  return { name, redirectUri, requestId: requestId || undefined };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * What is wrong with a redirect URI, or undefined. Absolute and without fragment (RFC 6749 §3.1.2); plain http on the
 * loopback interface only (RFC 8252 §7.3); compared as a whole later, so no wildcards (RFC 9700 §4.1.3).
 */
export function redirectUriFault(text: string): string | undefined {
  if (!URL.canParse(text) || text.length > 512 || /\s/.test(text)) return 'Give an absolute address, such as https://app.example/callback.';
  const uri = new URL(text);
  if (uri.protocol !== 'https:' && uri.protocol !== 'http:') return 'The address must begin with https://.';
  if (uri.protocol === 'http:' && !LOOPBACK.has(uri.hostname)) return 'http:// is allowed on localhost only; use https://.';
  if (text.includes('#')) return 'The address must not have a fragment (#…).';
  if (uri.username || uri.password) return 'The address must not carry a user name or password.';
  if (text.includes('*')) return 'The address must be complete; wildcards are not allowed.';
  return undefined;
}

export const normaliseEmail = (email: string): string => email.trim().toLowerCase();

/** A field of a form or a JSON body as text; `''` when it is absent or no text. */
export function textOf(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** Where to go after signing in: a page of ours, never another site's address. */
export const pageAfterSignIn = (wanted: string): string => (/^\/(apps|docs)(\/[A-Za-z0-9-]+)*$/.test(wanted) ? wanted : '/apps');

const isLine = (text: string, least: number, most: number): boolean => text.length >= least && text.length <= most && !/\p{Cc}/u.test(text);

function refuse(errors: (FieldError | undefined)[]): void {
  const found = errors.filter((error) => error !== undefined);
  if (found.length > 0) throw fieldProblem(found);
}

const fieldProblem = (errors: FieldError[]): Problem => problem('invalid_request', errors.map(({ message }) => message).join(' '), { errors });
