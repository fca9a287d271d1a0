/**
 * The back office in a real browser, before a stand-in of the gateway: every page, light and dark, wide and phone width, without
 * scripts, with an empty console. SCREENSHOTS names a folder to keep pictures in.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { StaffRole } from '../src/staff.js';
import { consent, STAFF_CLIENT } from './consent-stand-in.js';
import { codeOf, officeUnderTest, type Member, type OfficeUnderTest } from './office-under-test.js';

const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

describe('the back office in a browser', function () {
  this.timeout(60_000);
  let browser: Browser;
  let office: OfficeUnderTest;

  before(async function () {
    const executablePath = [process.env['CHROMIUM'], ...USUAL_PLACES].find((path) => path !== undefined && existsSync(path));
    if (!executablePath) {
      console.log('      skipped: no Chromium found; name one in CHROMIUM');
      this.skip();
    }
    office = await officeUnderTest();
    browser = await chromium.launch({ executablePath, args: FLAGS });
    Object.assign(office.consents.report, {
      byState: [
        { type: 'account-access', status: 'awaiting_authorisation', consents: 14 }, { type: 'account-access', status: 'authorised', consents: 1284 }, { type: 'payment', status: 'consumed', consents: 807 },
        { type: 'variable-recurring', status: 'authorised', consents: 96 }, { type: 'funds-confirmation', status: 'revoked', consents: 31 }, { type: 'account-access', status: 'expired', consents: 402 },
      ],
      byAge: [{ type: 'account-access', age: '0-7 days', consents: 220 }, { type: 'account-access', age: '31-90 days', consents: 640 }, { type: 'variable-recurring', age: 'over 180 days', consents: 96 }],
      byClient: [{ clientId: crypto.randomUUID(), application: 'Household budget', inForce: 1284, all: 2001 }, { clientId: crypto.randomUUID(), inForce: 96, all: 633 }],
      refusals: [{ code: 'consent_revoked', clientId: crypto.randomUUID(), refusals: 318 }, { code: 'consent_frequency_exceeded', clientId: crypto.randomUUID(), refusals: 77 }],
    });
  });
  after(async () => {
    await browser?.close();
    await office?.stop();
  });

  const visit = async (options: { colorScheme: 'light' | 'dark'; width: number }): Promise<{ page: Page; complaints: string[] }> => {
    const context = await browser.newContext({ colorScheme: options.colorScheme, viewport: { width: options.width, height: 900 }, javaScriptEnabled: false });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => !/^(data|blob):/.test(request.url()) && !request.url().startsWith(office.portal.service.url) && complaints.push(`request to ${request.url()}`));
    return { page, complaints };
  };
  const look = async (page: Page, name: string): Promise<void> => {
    await page.waitForLoadState();
    const boxes = await page.evaluate<string[]>(`[...document.querySelectorAll('body *')].filter((one) => !one.closest('.wide, .unseen, .skip, thead') && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 90))`);
    expect(boxes, `${name} is wider than the screen`).deep.equal([]);
    const folder = process.env['SCREENSHOTS'];
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `office-${name}.png`), fullPage: true });
  };
  const signIn = async (page: Page, member: Member): Promise<void> => {
    await page.getByLabel('Username').fill(member.username);
    await page.getByLabel('Password').fill(member.password);
    await page.getByLabel('One-time code').fill(codeOf(member));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Consents' }).waitFor();
  };
  const member = (role: StaffRole): Promise<Member> => office.member(role);

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      it(`leads an officer from signing in to the end of a consent and to the report, ${colorScheme}, ${width} px`, async () => {
        const name = (page: string): string => `${page}-${width}-${colorScheme}`;
        const creditor = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
        const [access, series] = [
          consent({ amendment: { permissions: ['accounts:read'], validUntil: '2027-03-01T00:00:00Z', requestedAt: '2026-11-22T07:00:00Z' } }),
          consent({ type: 'variable-recurring', permissions: ['payments:initiate'], recurringTerms: { maximumPerPayment: { amount: '50.00', currency: 'EUR' }, periodicLimits: [{ maximum: { amount: '200.00', currency: 'EUR' }, period: 'month', alignment: 'calendar' }], creditor } }),
        ];
        office.consents.consents = [access, series, ...Array.from({ length: 26 }, (_, i) => consent({ status: i % 2 ? 'expired' : 'awaiting_authorisation', ...(i % 2 ? {} : { customerId: undefined, lastUsedAt: undefined }) }))];
        const { page, complaints } = await visit({ colorScheme, width });
        await page.goto(`${office.portal.service.url}/office`);
        await look(page, name('1-sign-in'));
        await signIn(page, await member('consent-officer'));
        await look(page, name('2-search'));
        await page.getByLabel('State').selectOption('authorised');
        await page.getByRole('button', { name: 'Search' }).click();
        expect(await page.getByLabel('State').inputValue()).equal('authorised');
        await page.getByRole('link', { name: access.consentId }).click();
        await look(page, name('3-consent'));
        await page.getByRole('link', { name: 'Revoke' }).click();
        await look(page, name('4-revoke'));
        await page.getByLabel('A court or an authority ordered it').check();
        await page.getByLabel('Note').fill('File 17 of the district court');
        await page.getByRole('button', { name: 'Revoke for good' }).click();
        await page.getByText('Done: the consent is revoked').waitFor();
        await look(page, name('5-revoked'));
        expect(await page.getByRole('link', { name: 'Revoke' }).count()).equal(0);
        await page.goto(`${office.portal.service.url}/office/consents/${series.consentId}/expire`);
        await look(page, name('6-end-early'));
        await page.getByRole('link', { name: 'Report' }).click();
        await look(page, name('7-report'));
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()]);
        expect(download.suggestedFilename()).match(/^consents-.*\.csv$/);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('heading', { name: 'Sign in' }).waitFor();
        expect(complaints).deep.equal([]);
        await page.context().close();
      });
    }
  }

  it('says what is wrong beside the field, keeps what was typed, and puts the cursor there', async () => {
    const { page } = await visit({ colorScheme: 'light', width: 1280 });
    await page.goto(`${office.portal.service.url}/office/consents`);
    await page.getByLabel('Username').fill('somebody');
    await page.getByLabel('Password').fill('not the right one');
    await page.getByLabel('One-time code').fill('000000');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await look(page, 'bad-sign-in');
    expect(await page.getByRole('alert').innerText()).include('is not right');
    expect(await page.getByLabel('Username').inputValue()).equal('somebody');
    await signIn(page, await member('compliance-officer'));
    await page.getByLabel('Customer id').fill('Ada Beispiel');
    await page.getByRole('button', { name: 'Search' }).click();
    await look(page, 'bad-search');
    expect(await page.locator('#customerId').getAttribute('aria-describedby')).equal('customerId-error');
    expect(await page.locator('#customerId:focus').count()).equal(1);
    expect(await page.getByLabel('Customer id').inputValue()).equal('Ada Beispiel');
  });

  it('offers a compliance officer nothing he may not do', async () => {
    office.consents.consents = [consent({ clientId: STAFF_CLIENT })];
    const { page } = await visit({ colorScheme: 'light', width: 1280 });
    await page.goto(`${office.portal.service.url}/office/consents`);
    await signIn(page, await member('compliance-officer'));
    await page.locator('tbody a').first().click();
    await page.getByText('History', { exact: true }).waitFor();
    expect(await page.getByRole('link', { name: /Revoke|End early/ }).count()).equal(0);
    await page.goto(`${page.url()}/revoke`);
    await look(page, 'not-for-your-role');
    expect(await page.getByRole('heading', { name: 'Not for your role' }).count()).equal(1);
  });
});
