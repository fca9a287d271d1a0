/** A bank customer with a browser (cookies, forms, no script), an authenticator app and a telephone, on the bank's own pages. */
import { Secret, TOTP } from 'otpauth';
import { ensure, type Answer, type Journal } from './journal.js';

export interface OnlineBanking {
  username: string;
  password: string;
  totpSecret: string;
}

/** Where the customer's telephone is: the sandbox's inbox, read with the application's key. */
export interface Telephone {
  gatewayUrl: string;
  apiKey: string;
  customerId: string;
}

export interface BankCustomer {
  /** Opens the bank's page from the application, signs in, chooses, approves and confirms. @returns the address the bank sends the browser to */
  approve(authoriseUrl: string, choose: (accounts: string[]) => string[]): Promise<URL>;
  /** Signs in at the bank with two factors and ends the consent there. */
  revoke(consentId: string): Promise<void>;
}

type Form = Record<string, string | string[]>;

export function bankCustomer(journal: Journal, pagesUrl: string, banking: OnlineBanking, telephone: Telephone): BankCustomer {
  const cookies = new Map<string, string>();
  let page = '';
  let appUsed = false;

  const visit = async (method: 'GET' | 'POST', url: string, fact: string, expect: number, form?: Form): Promise<Answer> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await journal.call({ method, url, form, expect, fact, headers: cookie ? { cookie } : {} });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=', 2);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    page = String(answer.body);
    return answer;
  };
  const open = (url: string, fact: string): Promise<Answer> => visit('GET', url, fact, 200);
  const locationOf = (answer: Answer): string => answer.headers.get('location') ?? '';

  /** What the form carries by itself: the visit's label and token, the version the page showed. */
  const hidden = (action: string): Record<string, string> => {
    const form = page.split('<form ').find((part) => part.includes(`action="/bank/${action}"`))?.split('</form>')[0] ?? '';
    return Object.fromEntries([...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]));
  };
  const submit = async (action: string, form: Form, fact: string): Promise<string> =>
    locationOf(await visit('POST', `${pagesUrl}/${action}`, fact, 303, { ...hidden(action), ...form }));

  const signIn = (): Promise<string> => submit('sign-in', { username: banking.username, password: banking.password }, 'the customer gives the password');

  /** Each code of the app works once in its 30 s; and it cannot be linked to an amount, so the bank does not offer it for payments. */
  const confirm = async (): Promise<string> => {
    const method = !appUsed && page.includes('value="totp"') ? 'totp' : 'message';
    await open(await submit('confirm/method', { method }, method === 'totp' ? 'a code of the authenticator app' : 'a code by message'), 'the bank asks for the code');
    const code = method === 'totp' ? new TOTP({ secret: Secret.fromBase32(banking.totpSecret) }).generate() : await codeFromMessage();
    appUsed ||= method === 'totp';
    return submit('confirm', { code }, 'and the code, linked to what is on the screen: two factors');
  };
  const codeFromMessage = async (): Promise<string> => {
    const { gatewayUrl, apiKey, customerId } = telephone;
    const inbox = await journal.call({
      url: `${gatewayUrl}/sandbox/customers/${customerId}/messages`, headers: { apikey: apiKey }, expect: 200, fact: ({ body }) => `"${String(body.data[0]?.text).replace(/^\d{6}/, '••••••').slice(0, 72)}…"`,
    });
    return /^\d{6}/.exec(String(inbox.body.data[0]?.text))?.[0] ?? '';
  };
  /** A confirmation whose answer was lost is led to the page that says how it ended. */
  const outcome = async (location: string): Promise<URL> => {
    if (!location.startsWith(`${pagesUrl}/done`)) return new URL(location || 'about:blank');
    await open(location, 'how it ended');
    return new URL((/class="button primary" href="([^"]+)"/.exec(page)?.[1] ?? 'about:blank').replaceAll('&amp;', '&'));
  };

  return {
    async approve(authoriseUrl, choose) {
      const first = await visit('GET', authoriseUrl, 'the application sends the customer to the bank', 303);
      await open(locationOf(first), "the bank's page says who asks");
      await open(await signIn(), 'what is asked, and which accounts');
      const offered = [...page.matchAll(/name="account" value="([0-9a-f-]{36})"/g)].map((match) => match[1] ?? '');
      await open(await submit('decision', { decision: 'approve', account: choose(offered) }, 'the customer approves'), 'and chooses how to confirm');
      const address = await outcome(await confirm());
      ensure(address.searchParams.get('code'), `The bank sent the browser back without a code: ${address.origin}${address.pathname} ${address.searchParams.get('error') ?? ''}`);
      return address;
    },
    async revoke(consentId) {
      const first = await visit('GET', `${pagesUrl}/sign-in`, 'the customer goes to the bank', 303);
      await open(locationOf(first), "the bank's own page");
      await open(await signIn(), 'signing in takes two factors, too');
      await open(await confirm(), 'and sees every consent given');
      ensure(page.includes(consentId), 'The consent is not on the customer\'s page.');
      await open(`${pagesUrl}/consents/${consentId}/revoke`, 'is asked once more');
      await submit(`consents/${consentId}/revoke`, { reason: 'no longer needed' }, 'and ends this one');
    },
  };
}
