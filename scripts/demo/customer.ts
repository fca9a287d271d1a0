/** A bank customer with a browser (cookies, forms) and an authenticator app, on the bank's own pages. */
import { Secret, TOTP } from 'otpauth';
import { ensure, type Answer, type Journal } from './journal.js';

export interface OnlineBanking {
  username: string;
  password: string;
  totpSecret: string;
}

export interface BankCustomer {
  /** Opens the bank's page from the application, signs in, passes the code, approves. @returns the address the bank sends the browser to */
  approve(authoriseUrl: string, choose: (accounts: string[]) => string[]): Promise<URL>;
  /** Signs in at the bank and revokes the consent there. */
  revoke(consentId: string): Promise<void>;
}

const STEP_MS = 30_000;

export function bankCustomer(journal: Journal, pagesUrl: string, banking: OnlineBanking): BankCustomer {
  let cookie = '';
  let lastStep = 0;

  const visit = async (method: 'GET' | 'POST', url: string, fact: string, expect: number, form?: Record<string, string | string[]>): Promise<Answer> => {
    const answer = await journal.call({ method, url, form, expect, fact, headers: cookie ? { cookie } : {} });
    for (const set of answer.headers.getSetCookie()) cookie = set.split(';')[0] ?? '';
    return answer;
  };

  /** The bank takes each code once: a second sign-in within the same 30 s uses the code of the step that comes next. */
  const nextCode = async (): Promise<string> => {
    const now = Math.floor(Date.now() / STEP_MS);
    const step = Math.max(now, lastStep + 1);
    if (step > now + 1) await new Promise((resolve) => setTimeout(resolve, (step - now - 1) * STEP_MS - (Date.now() % STEP_MS) + 100));
    lastStep = step;
    return new TOTP({ secret: Secret.fromBase32(banking.totpSecret) }).generate({ timestamp: step * STEP_MS });
  };

  const signIn = async (): Promise<string> => {
    await visit('POST', `${pagesUrl}/sign-in`, 'the customer gives the password', 200, { username: banking.username, password: banking.password });
    const answer = await visit('POST', `${pagesUrl}/one-time-code`, 'and a one-time code: two factors', 303, { code: await nextCode() });
    return answer.headers.get('location') ?? '';
  };

  return {
    async approve(authoriseUrl, choose) {
      await visit('GET', authoriseUrl, "the bank's page shows who wants what", 200);
      const decision = await visit('GET', await signIn(), 'what is asked, and which accounts', 200);
      const offered = [...String(decision.body).matchAll(/name="account" value="([0-9a-f-]{36})"/g)].map((match) => match[1] ?? '');
      const back = await visit('POST', `${pagesUrl}/decision`, 'the customer approves', 303, { decision: 'approve', account: choose(offered) });
      const address = new URL(back.headers.get('location') ?? 'about:blank');
      ensure(address.searchParams.get('code'), `The bank sent the browser back without a code: ${address.origin}${address.pathname}`);
      return address;
    },
    async revoke(consentId) {
      await visit('GET', `${pagesUrl}/sign-in`, 'the customer goes to the bank', 200);
      const list = await visit('GET', await signIn(), 'and sees every consent given', 200);
      ensure(String(list.body).includes(consentId), 'The consent is not on the customer\'s page.');
      await visit('POST', `${pagesUrl}/consents/${consentId}/revoke`, 'revokes this one', 303, {});
    },
  };
}
