import { Secret, TOTP } from 'otpauth';
import { staffRepository } from '../src/staff-repository.js';
import { staffWith, type StaffCredentials, type StaffRole } from '../src/staff.js';
import { consentStandIn, type ConsentStandIn } from './consent-stand-in.js';
import { portalUnderTest, type PortalUnderTest } from './portal-under-test.js';

/** As portal-under-test.ts sets it. */
const KEY = Buffer.alloc(32, 7);

export interface Member extends StaffCredentials {
  username: string;
  id: string;
}

/** An answer with every cookie it sets. */
export interface OfficeAnswer { status: number; headers: Headers; cookies: string[]; body: string }

/** Keeps cookies, each by its name, as a browser does. */
export interface OfficeVisitor { cookies: Map<string, string> }

export interface OfficeUnderTest {
  portal: PortalUnderTest;
  consents: ConsentStandIn;
  member(role: StaffRole): Promise<Member>;
  /** A new browser in which the member has signed in. */
  signedIn(member: Member): Promise<OfficeVisitor>;
  /** Signs in with the code of the moment, or what `fields` says instead. Codes used before are forgotten, for tests sign in often. */
  signIn(visitor: OfficeVisitor, member: Member, fields?: Record<string, string>): Promise<OfficeAnswer>;
  get(visitor: OfficeVisitor, path: string): Promise<OfficeAnswer>;
  post(visitor: OfficeVisitor, path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<OfficeAnswer>;
  stop(): Promise<void>;
}

export const visitor = (): OfficeVisitor => ({ cookies: new Map() });

/** The code an authenticator app shows now. */
export const codeOf = ({ totpSecret }: StaffCredentials, timestamp = Date.now()): string => new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp });

export async function officeUnderTest(): Promise<OfficeUnderTest> {
  const portal = await portalUnderTest();
  const { database } = portal.service;
  const staff = staffWith(staffRepository(database), KEY);
  const send = async (who: OfficeVisitor, method: string, path: string, body: string | undefined, headers: Record<string, string>): Promise<OfficeAnswer> => {
    const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(new URL(path, portal.service.url), { method, body, redirect: 'manual', headers: { accept: 'text/html', ...(cookie ? { cookie } : {}), ...headers } });
    const cookies = answer.headers.getSetCookie();
    for (const [name, value] of cookies.map((text) => text.split(';')[0]!.split('='))) who.cookies.set(name!, value!);
    return { status: answer.status, headers: answer.headers, cookies, body: await answer.text() };
  };
  const post: OfficeUnderTest['post'] = (who, path, fields, headers = {}) =>
    send(who, 'POST', path, new URLSearchParams(fields).toString(), { 'content-type': 'application/x-www-form-urlencoded', ...headers });
  const signIn: OfficeUnderTest['signIn'] = async (who, member, fields = {}) => {
    await database.query('update staff set last_totp_step = 0 where id = $1', [member.id]);
    return post(who, '/office/sign-in', { username: member.username, password: member.password, code: codeOf(member), ...fields });
  };
  return {
    portal, consents: consentStandIn(portal.gateway), signIn, post,
    async member(role) {
      const username = `m-${crypto.randomUUID()}`;
      const credentials = await staff.add(username, role);
      const [row] = await database.query<{ id: string }>('select id from staff where username = $1', [username]);
      return { username, id: row!.id, ...credentials! };
    },
    async signedIn(member) {
      const who = visitor();
      const { status, body } = await signIn(who, member);
      if (status !== 303) throw new Error(`signing in answered ${status}: ${body}`);
      return who;
    },
    get: (who, path) => send(who, 'GET', path, undefined, {}),
    stop: () => portal.stop(),
  };
}
