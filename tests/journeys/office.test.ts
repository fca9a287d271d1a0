/**
 * The bank's back office in a real browser, through the gateway: an officer finds a consent, revokes it with a reason, and the
 * fintech learns of it; the history says who it was. Skipped where no Chromium is found (CHROMIUM names one).
 */
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { chromium, type Browser, type Page } from 'playwright-core';
import { bearer, clientToken, newKey, registerApp } from '../../scripts/demo/fintech.js';
import { journal, send } from '../../scripts/demo/journal.js';
import { officeStaff, place } from './platform.js';

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = PLACES.find((path) => path && existsSync(path));

describe('the bank\'s back office', function () {
  this.timeout(120_000);
  const quiet = journal(() => undefined);
  let browser: Browser;

  before(async function () {
    if (!program) {
      console.log('skipped: no Chromium on this machine (apt-get install chromium, or set CHROMIUM)');
      return this.skip();
    }
    browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  });
  after(async () => { await browser?.close(); });

  async function signedIn(role: string, faults: string[]): Promise<Page> {
    const { username, password, totpSecret } = officeStaff().find((member) => member.role === role)!;
    const page = await (await browser.newContext()).newPage();
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`${place().portalUrl}/office`);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('One-time code').fill(new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate());
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Consents' }).waitFor();
    return page;
  }

  it('finds a consent, revokes it with a reason, and says in the history who it was; a compliance officer reads and reports', async () => {
    const where = place();
    const faults: string[] = [];
    const app = await registerApp(quiet, where, 'http://127.0.0.1:9999/callback');
    const own = await clientToken(quiet, where, app, 'consents');
    const asked = await send({
      method: 'POST', url: `${where.gatewayUrl}/v1/consents`, headers: { ...bearer(own), 'idempotency-key': newKey() },
      json: { type: 'account-access', permissions: ['accounts:read'], validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(), redirectUri: 'http://127.0.0.1:9999/callback' },
    });
    expect(asked.status).to.equal(201);
    const { consentId } = asked.body as { consentId: string };

    const page = await signedIn('consent-officer', faults);
    await page.getByLabel('Application (client id)').fill(app.clientId);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('link', { name: consentId }).click();
    await page.getByRole('link', { name: 'Revoke' }).click();
    await page.getByLabel('Fraud is suspected').check();
    await page.getByRole('button', { name: 'Revoke for good' }).click();
    await page.getByText('Done: the consent is revoked').waitFor();
    const seen = await send({ method: 'GET', url: `${where.gatewayUrl}/v1/consents/${consentId}`, headers: bearer(own) });
    expect(seen.body).to.include({ status: 'revoked', statusReason: 'by_bank' });

    const other = await signedIn('compliance-officer', faults);
    await other.goto(`${where.portalUrl}/office/consents/${consentId}`);
    expect(await other.getByRole('cell', { name: 'bank, consent-officer' }).count()).to.equal(1);
    expect(await other.getByRole('link', { name: 'Revoke' }).count()).to.equal(0);
    await other.getByRole('link', { name: 'Report' }).click();
    await other.getByRole('img', { name: /Consents by state: .*revoked \d/ }).waitFor();
    expect(faults, 'console').to.deep.equal([]);
  });
});
