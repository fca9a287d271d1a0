/**
 * The bank's pages in a real browser, through the gateway: a customer approves a payment and later revokes, in light and dark,
 * wide and phone width, and the console stays empty. Skipped where no Chromium is found (CHROMIUM names one).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { chromium, type Browser, type Page } from 'playwright-core';
import { authorisation, bearer, clientToken, newKey, registerApp } from '../../scripts/demo/fintech.js';
import { openAccount, registerCustomers } from '../../scripts/demo/walk.js';
import { journal, send } from '../../scripts/demo/journal.js';
import { startReceiver, type Receiver } from '../../scripts/demo/receiver.js';
import { place, sanctioned } from './platform.js';

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = PLACES.find((path) => path && existsSync(path));
const LOOKS = [
  { name: 'wide-light', colorScheme: 'light' as const, viewport: { width: 1280, height: 800 } },
  { name: 'wide-dark', colorScheme: 'dark' as const, viewport: { width: 1280, height: 800 } },
  { name: 'phone-light', colorScheme: 'light' as const, viewport: { width: 390, height: 844 } },
  { name: 'phone-dark', colorScheme: 'dark' as const, viewport: { width: 390, height: 844 } },
];

describe('the bank\'s pages in a browser', function () {
  this.timeout(120_000);
  const quiet = journal(() => undefined);
  let browser: Browser;
  let receiver: Receiver;
  const faults: string[] = [];

  before(async function () {
    if (!program) {
      console.log('skipped: no Chromium on this machine (apt-get install chromium, or set CHROMIUM)');
      return this.skip();
    }
    receiver = await startReceiver();
    browser = await chromium.launch({
      executablePath: program,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
  });
  after(async () => {
    await browser?.close();
    await receiver?.close();
  });

  async function look(page: Page, name: string): Promise<void> {
    const wide = await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth');
    expect(wide, `${name} fits the width`).to.equal(true);
    const folder = process.env['SCREENSHOTS'];
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }

  it('lead from the request to the decision, and to the list of consents, without a word in the console', async () => {
    const where = place();
    const traveller = { journal: quiet, place: where, receiver, sanctioned: await sanctioned() };
    const app = await registerApp(quiet, where, receiver.callbackUrl);
    const own = await clientToken(quiet, where, app, 'customers accounts payments consents');
    const customerId = await registerCustomers(traveller, own);
    const accountId = await openAccount(traveller, app, own, customerId);

    for (const { name, ...options } of LOOKS) {
      const banking = (await send({ method: 'POST', url: `${where.gatewayUrl}/sandbox/customers/${customerId}/credentials`, headers: { apikey: app.apiKey } })).body;
      const consent = await send({
        method: 'POST', url: `${where.gatewayUrl}/v1/consents`, headers: { ...bearer(own), 'idempotency-key': newKey() },
        json: { type: 'payment', payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' }, remittance: 'Invoice 17' }, redirectUri: receiver.callbackUrl },
      });
      const context = await browser.newContext({ ...options, locale: 'en-GB' });
      const page = await context.newPage();
      // The page that asks to sign in is answered 401, which a browser notes.
      page.on('console', (message) => { if (!message.text().includes('status of 401')) faults.push(`${message.type()}: ${message.text()}`); });
      page.on('pageerror', (error) => faults.push(error.message));

      const codeSent = async (): Promise<string> => {
        const inbox = await send({ url: `${where.gatewayUrl}/sandbox/customers/${customerId}/messages`, headers: { apikey: app.apiKey } });
        return /^\d{6}/.exec(inbox.body.data[0].text)?.[0] ?? '';
      };
      const signIn = async (): Promise<void> => {
        await page.getByLabel('Username').fill(banking.username);
        await page.getByLabel('Password').fill(banking.password);
        await page.getByRole('button', { name: 'Continue' }).click();
      };
      // As an application does that knows no more than the issuer: the endpoint is in the metadata (RFC 8414).
      const metadata = (await send({ url: `${where.gatewayUrl}/.well-known/oauth-authorization-server` })).body;
      const { search } = new URL(authorisation(consent.body.authoriseUrl, app, receiver.callbackUrl, 'payments').url);
      await page.goto(`${metadata.authorization_endpoint}${search}`);
      await look(page, `1-sign-in-${name}`);
      await signIn();
      await look(page, `2-decision-${name}`);
      expect(await page.getByText('€12.50').isVisible()).to.equal(true);
      await page.getByLabel('Current account').check();
      await page.getByRole('button', { name: 'Approve payment' }).click();
      await page.getByLabel('Message').check();
      await look(page, `3-method-${name}`);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByLabel('Code from the message').fill(await codeSent());
      await look(page, `4-code-${name}`);
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.waitForURL(`${receiver.callbackUrl}?**`);
      expect(new URL(page.url()).searchParams.get('code')).to.be.a('string');

      await page.goto(`${where.pagesUrl}/consents`);
      await page.getByRole('link', { name: 'Sign in' }).click();
      await signIn();
      await page.getByLabel('Message').check();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByLabel('Code from the message').fill(await codeSent());
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.locator(`[data-consent="${consent.body.consentId}"]`).getByRole('link', { name: 'End access' }).click();
      await look(page, `5-revoke-${name}`);
      await page.getByRole('button', { name: 'End access now' }).click();
      await page.locator(`[data-consent="${consent.body.consentId}"]`).getByText('ended at the bank').waitFor();
      await look(page, `6-consents-${name}`);
      await context.close();
    }
    expect(accountId).to.be.a('string');
    expect(faults, 'console').to.deep.equal([]);
  });
});
