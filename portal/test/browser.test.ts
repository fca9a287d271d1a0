import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { chromium, type Browser, type Page } from 'playwright-core';
import { portalUnderTest, type PortalUnderTest } from './portal-under-test.js';

const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

describe('the portal in a browser', function () {
  this.timeout(60_000);
  let browser: Browser;
  let portal: PortalUnderTest;

  before(async function () {
    const executablePath = [process.env['CHROMIUM'], ...USUAL_PLACES].find((path) => path !== undefined && existsSync(path));
    if (!executablePath) {
      console.log('      skipped: no Chromium found; name one in CHROMIUM');
      this.skip();
    }
    portal = await portalUnderTest();
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });
  after(async () => {
    await browser?.close();
    await portal?.stop();
  });

  /** A page of a new visitor, and every complaint of the browser: console errors, script faults, requests that went elsewhere. */
  const visit = async (options: { colorScheme: 'light' | 'dark'; width: number; scripts?: boolean }): Promise<{ page: Page; complaints: string[] }> => {
    const context = await browser.newContext({ colorScheme: options.colorScheme, viewport: { width: options.width, height: 900 }, javaScriptEnabled: options.scripts ?? true });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => !/^(data|blob):/.test(request.url()) && !request.url().startsWith(portal.service.url) && complaints.push(`request to ${request.url()}`));
    return { page, complaints };
  };
  const signUp = async (page: Page): Promise<void> => {
    await page.goto(`${portal.service.url}/sign-up`);
    await page.getByLabel('E-mail address').fill(`walk-${crypto.randomUUID()}@fintech.example`);
    await page.getByLabel('Organisation').fill('Fictional Fintech');
    await page.getByLabel('Password').fill('a long enough password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.waitForURL('**/apps');
  };
  const registerApp = async (page: Page): Promise<{ clientId: string; clientSecret: string }> => {
    await page.getByRole('link', { name: /^Register/ }).click();
    await page.getByLabel('Name').fill('Household budget');
    await page.getByLabel('Redirect URI').fill('https://app.example/callback');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.waitForSelector('#client-secret');
    return { clientId: await page.innerText('#client-id'), clientSecret: await page.innerText('#client-secret') };
  };

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      it(`shows every page without a complaint and without scrolling sideways, ${colorScheme}, ${width} px`, async () => {
        const { page, complaints } = await visit({ colorScheme, width });
        await signUp(page);
        const { clientId } = await registerApp(page);
        for (const path of ['/', '/sign-in', '/sign-up', '/apps', '/apps/new', `/apps/${clientId}`, '/docs/customer', '/docs/payment']) {
          await page.goto(portal.service.url + path);
          if (path.startsWith('/docs')) await page.locator('.opblock').nth(3).waitFor();
          const wider = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
          expect(wider, `${path} is wider than the screen`).equal(0);
        }
        expect(complaints).deep.equal([]);
        await page.context().close();
      });
    }
  }

  it('walks from signing up to a tried operation', async () => {
    const { page, complaints } = await visit({ colorScheme: 'light', width: 1280 });
    await signUp(page);
    const { clientId, clientSecret } = await registerApp(page);
    await page.getByRole('link', { name: 'Try it in the documentation' }).click();

    await page.getByRole('button', { name: 'Authorize' }).click();
    const oauth2 = page.locator('.auth-container').filter({ hasText: 'client_secret' }).first();
    expect(await oauth2.locator('#client_id_clientCredentials').inputValue(), 'the client id is filled in').equal(clientId);
    await oauth2.locator('#client_secret_clientCredentials').fill(clientSecret);
    await oauth2.locator('label[for^="customers"]').first().click();
    await oauth2.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    await oauth2.getByRole('button', { name: 'Remove authorization' }).waitFor();
    await page.locator('.btn-done').first().click();

    const operation = page.locator('.opblock').filter({ has: page.getByText('Register a customer', { exact: true }) });
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('tr[data-param-name="Idempotency-Key"] input').fill('walk-1');
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table').waitFor();

    expect(await operation.locator('.live-responses-table tbody .response-col_status').first().innerText()).match(/^201/);
    expect(await operation.locator('.curl-command').innerText(), 'what is copied goes to the gateway').include('https://gateway.example:8443/v1/customers').and.not.include('/try');
    const [token, call] = portal.gateway.relayed.slice(-2);
    expect([token?.path, token?.headers.authorization]).deep.equal(['/oauth2/token', `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`]);
    expect([call?.method, call?.path, call?.headers.authorization, call?.headers['idempotency-key']]).deep.equal(['POST', '/v1/customers', 'Bearer token-of-the-stand-in', 'walk-1']);
    expect(JSON.parse(call?.body ?? '')).property('birthDate');
    expect(call?.headers).not.property('cookie');
    expect(complaints).deep.equal([]);
  });

  it('lets who is not signed in read, but not try', async () => {
    const { page, complaints } = await visit({ colorScheme: 'dark', width: 1280 });
    await page.goto(`${portal.service.url}/docs/customer`);
    await page.locator('.opblock-summary-control').first().click();
    await page.locator('.opblock-body').first().waitFor();
    expect(await page.locator('.try-out__btn').count()).equal(0);
    expect(await page.getByRole('link', { name: 'Sign in' }).count()).equal(2);
    expect(complaints).deep.equal([]);
  });

  it('works without scripts: sign up, register, rotate, delete, sign out', async () => {
    const { page } = await visit({ colorScheme: 'light', width: 390, scripts: false });
    await signUp(page);
    const { clientId, clientSecret } = await registerApp(page);
    expect(await page.locator('.copy:visible').count(), 'buttons that could do nothing').equal(0);
    await page.getByRole('link', { name: 'To the application' }).click();
    await page.getByRole('button', { name: 'Rotate secret' }).click();
    await page.waitForSelector('#client-secret');
    expect(await page.innerText('#client-secret')).match(/^kontor_secret_/).and.not.equal(clientSecret);
    await page.getByRole('link', { name: 'To the application' }).click();
    await page.getByText('I want to delete').click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.waitForURL('**/apps');
    expect(await page.getByText('Register your first application').count()).equal(1);
    expect(portal.gateway.consumers.has(`app-${clientId}`)).equal(false);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${portal.service.url}/`);
    expect(await page.getByRole('link', { name: 'Sign up', exact: true }).count()).greaterThan(0);
  });

  it('says what is wrong beside the field, and puts the cursor there', async () => {
    const { page } = await visit({ colorScheme: 'light', width: 1280 });
    await signUp(page);
    await page.goto(`${portal.service.url}/apps/new`);
    await page.getByLabel('Name').fill('Household budget');
    await page.getByLabel('Redirect URI').fill('http://app.example/callback');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.waitForSelector('#redirectUri-error');
    expect(await page.evaluate('document.activeElement.id')).equal('redirectUri');
    expect(await page.getByLabel('Redirect URI').getAttribute('aria-describedby')).include('redirectUri-error');
    expect(await page.getByLabel('Name').inputValue()).equal('Household budget');
  });
});
