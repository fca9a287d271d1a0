/**
 * The bank's pages in a real browser: axe finds nothing, they fit a telephone, the keyboard alone is enough, and so is a browser
 * without JavaScript. Skipped where no Chromium is found (CHROMIUM names one); SCREENSHOTS names a folder to keep pictures in.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer as createWeb, type Server } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { newEvent } from '@kontor/kernel/events';
import { ACCESS, approved, BULK, codeIn, context, FUNDS, PAYMENT, RECURRING, testBank, type Person, type TestBank } from './bank.js';

const program = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LOOKS: (BrowserContextOptions & { name: string })[] = [
  { name: 'wide-light', colorScheme: 'light', viewport: { width: 1280, height: 800 }, locale: 'en-GB' },
  { name: 'wide-dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 }, locale: 'de-DE' },
  { name: 'phone-light', colorScheme: 'light', viewport: { width: 390, height: 844 }, locale: 'de-DE' },
  { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 390, height: 844 }, locale: 'en-GB' },
];

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

describe('the bank\'s pages in a browser', function () {
  this.timeout(120_000);
  let bank: TestBank;
  let browser: Browser;
  let origin: string;
  let application: Server;
  let callback: string;
  const said: string[] = [];

  before(async function () {
    if (!program) {
      console.log('skipped: no Chromium on this machine (apt-get install chromium, or set CHROMIUM)');
      return this.skip();
    }
    application = createWeb((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<title>the application</title><link rel="icon" href="data:,">'));
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    callback = `http://localhost:${(application.address() as AddressInfo).port}/callback`;
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    bank = await testBank({ PORT: port, BANK_PAGES_URL: `${origin}/bank`, CHALLENGES_PER_HOUR: '1000' });
    await bank.service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-1', context, data: { appId: 'app-1', name: 'Example Budget', roles: ['aisp'] } }));
    browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  });
  after(async () => {
    await browser?.close();
    await bank?.stop();
    application?.closeAllConnections();
    application?.close();
  });

  async function windowOf(options: BrowserContextOptions): Promise<{ page: Page; context: BrowserContext }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (message) => { if (!/the server responded with a status of 4\d\d/.test(message.text())) said.push(`${page.url()} ${message.type()}: ${message.text()}`); });
    page.on('pageerror', (error) => said.push(error.message));
    return { page, context };
  }

  /** Nothing for axe, nothing beside the edge. */
  async function check(page: Page, name: string): Promise<void> {
    if (process.env['SCREENSHOTS']) {
      mkdirSync(process.env['SCREENSHOTS'], { recursive: true });
      await page.screenshot({ path: join(process.env['SCREENSHOTS'], `${name}.png`), fullPage: true });
    }
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), `${name} fits the width`).to.equal(true);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate('axe.run()') as { violations: { id: string; help: string; nodes: { html: string }[] }[] };
    expect(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`), name).to.deep.equal([]);
  }

  /** The address an application sends its customer to. */
  const linkFor = async (body: object): Promise<string> => origin + bank.requestFor(await bank.create({ ...body, redirectUri: callback }), { redirect_uri: callback });
  const press = (page: Page): Promise<unknown> => Promise.all([page.waitForEvent('domcontentloaded'), page.locator('main form button.primary').first().click()]);
  async function signIn(page: Page, { banking }: Person): Promise<void> {
    await page.locator('#username').fill(banking.username);
    await page.locator('#password').fill(banking.password);
    await press(page);
  }
  async function code({ customerId }: Person): Promise<string> {
    return codeIn((await bank.messages(customerId))[0]?.text ?? '');
  }

  for (const { name, ...options } of LOOKS) {
    it(`every page of the journey and of the dashboard, ${name}`, async () => {
      const person = await bank.person();
      const spouse = await bank.person();
      const joint = await bank.account([spouse.customerId, person.customerId]);
      await approved(bank, PAYMENT, { ...spouse, accountId: joint });
      const { page, context: window } = await windowOf(options);
      for (const [kind, body] of [['payment', PAYMENT], ['access', ACCESS], ['recurring', RECURRING], ['bulk', BULK], ['funds', FUNDS]] as const) {
        await page.goto(await linkFor(body));
        if (kind === 'payment') {
          await check(page, `01-sign-in-${name}`);
          await page.locator('#username').fill('somebody');
          await press(page);
          await check(page, `02-sign-in-fault-${name}`);
        }
        await signIn(page, person);
        await check(page, `03-decision-${kind}-${name}`);
        if (kind === 'access') {
          await page.locator('#account').uncheck();
          await press(page);
          await check(page, `04-decision-fault-${name}`);
        }
        await page.locator(`[name=account][value="${person.accountId}"]`).check();
        await press(page);
        await check(page, `05-method-${kind}-${name}`);
        if (kind === 'payment') {
          await page.locator('[value=decoupled]').check();
          await press(page);
          await check(page, `06-waiting-${name}`);
          await page.locator('a[href*="manual=1"]').click();
          await check(page, `07-waiting-manual-${name}`);
          await page.locator('a[href*="other=1"]').click();
        }
        await page.locator('[value=message]').check();
        await press(page);
        if (kind === 'payment') {
          await page.locator('#code').fill('12');
          await press(page);
          await check(page, `08-code-fault-${name}`);
        } else await check(page, `08-code-${kind}-${name}`);
        await page.locator('#code').fill(await code(person));
        await Promise.all([page.waitForURL(`${callback}?**`), page.locator('main form button.primary').first().click()]);
        expect(new URL(page.url()).searchParams.get('code')).to.equal('the-code');
        if (kind === 'payment') continue;
        await page.goBack();
        await check(page, `09-done-${kind}-${name}`);
      }
      await page.goto(`${origin}/bank/sign-in`);
      await signIn(page, person);
      await page.locator('[value=message]').check();
      await press(page);
      await page.locator('#code').fill(await code(person));
      await press(page);
      await check(page, `10-consents-${name}`);
      await page.locator('.cards a[href$="/revoke"]').first().click();
      await check(page, `11-revoke-${name}`);
      await page.locator('#reason').fill('x');
      await Promise.all([page.waitForEvent('domcontentloaded'), page.locator('main button.danger').click()]);
      await check(page, `12-consents-ended-${name}`);
      await page.locator('.cards a:not(.danger)').last().click();
      await check(page, `13-consent-${name}`);
      await page.goto(`${origin}/bank/consents`);
      await Promise.all([page.waitForEvent('domcontentloaded'), page.locator('form[action$="sign-out"] button').click()]);
      await check(page, `14-signed-out-${name}`);
      await page.goto(`${origin}/bank/consents`);
      await check(page, `15-session-over-${name}`);
      await window.close();
      expect(said, 'console').to.deep.equal([]);
    });
  }

  it('by keyboard alone, with the focus always in sight', async () => {
    const person = await bank.person();
    const { page, context: window } = await windowOf({ viewport: { width: 390, height: 844 }, locale: 'en-GB' });
    const focused = (): Promise<string> => page.evaluate('(document.activeElement?.getAttribute("name") ?? "") + "|" + (document.activeElement?.getAttribute("value") ?? "") + "|" + (document.activeElement?.textContent ?? "").trim()');
    /** Presses the tab key until this has the focus. */
    const tabTo = async (what: RegExp): Promise<void> => {
      for (let presses = 0; presses < 30; presses++) {
        await page.keyboard.press('Tab');
        const outlined = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle !== "none" || document.activeElement === document.body');
        expect(outlined, `focus on ${await focused()} is seen`).to.equal(true);
        if (what.test(await focused())) return;
      }
      throw new Error(`${page.url()}: the tab key does not reach ${what}`);
    };
    const enter = (): Promise<unknown> => Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')]);
    await page.goto(await linkFor(PAYMENT));
    await page.keyboard.press('Tab');
    expect(await focused(), 'first of all past the head').to.contain('Skip to the content');
    await tabTo(/^username/);
    await page.keyboard.type(person.banking.username);
    await tabTo(/^password/);
    await page.keyboard.type('wrong');
    await enter();
    expect(await focused(), 'the field in question has the focus').to.match(/^username/);
    await tabTo(/^password/);
    await page.keyboard.type(person.banking.password);
    await tabTo(/Continue/);
    await enter();
    await tabTo(/^account/);
    await page.keyboard.press('Space');
    await tabTo(/Approve payment/);
    await enter();
    await tabTo(/^method/);
    await tabTo(/Continue/);
    await enter();
    await tabTo(/^code/);
    await page.keyboard.type(await code(person));
    await Promise.all([page.waitForURL(`${callback}?**`), page.keyboard.press('Enter')]);
    await window.close();
  });

  it('without JavaScript, and the waiting page leads on by itself', async () => {
    const person = await bank.person();
    const { page, context: window } = await windowOf({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
    await page.goto(await linkFor(PAYMENT));
    await signIn(page, person);
    await press(page);
    await page.locator('[value=decoupled]').check();
    await press(page);
    const [approval] = await bank.approvals(person.customerId);
    await bank.answer(person.customerId, approval!.approvalId, 'approve');
    await page.waitForURL(`${callback}?**`, { timeout: 30_000 });
    expect(new URL(page.url()).searchParams.get('code')).to.equal('the-code');
    await window.close();
  });
});
