import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chosenGateway } from '../gateway/gateway.js';
import { platformSettings, PORTS, SPEC } from '../platform/settings.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the settings of npm start', () => {
  it('are all explained in the first part of .env.example, which explains nothing else and sets nothing', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    const [own = ''] = example.split('# === Settings of single processes');
    const named = [...own.matchAll(/^#([A-Z0-9_]+)=/gm)].map((match) => match[1]!);
    expect(named).to.have.members([...Object.keys(SPEC), ...Object.keys(PORTS).map((name) => `${name}_PORT`)]);
    expect(example.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([]);
  });

  it('show in .env.example the defaults the launcher has', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    for (const [name, port] of Object.entries(PORTS)) expect(example).to.include(`#${name}_PORT=${port}\n`);
  });

  it('tell every bad value at once, by name', () => {
    expect(() => platformSettings(root, { GATEWAY: 'nginx', PORTAL_PORT: 'eighty', AMQP_URL: 'not a url' }))
      .to.throw(/AMQP_URL[^]*GATEWAY|GATEWAY[^]*AMQP_URL/).and.to.have.property('message').that.includes('PORTAL_PORT');
  });

  it('choose the gateway: Kong where there is one, no plugins out of process without it', () => {
    expect(chosenGateway({ GATEWAY: undefined, PLUGIN_HOST: 'lua' }, true)).to.equal('kong');
    expect(chosenGateway({ GATEWAY: undefined, PLUGIN_HOST: 'pdk' }, true)).to.equal('kong');
    expect(chosenGateway({ GATEWAY: undefined, PLUGIN_HOST: 'lua' }, false)).to.equal('embedded');
    expect(chosenGateway({ GATEWAY: 'embedded', PLUGIN_HOST: 'lua' }, true)).to.equal('embedded');
    expect(() => chosenGateway({ GATEWAY: 'kong', PLUGIN_HOST: 'lua' }, false)).to.throw(/^GATEWAY=kong, but there is no `kong` on the PATH/);
    for (const [GATEWAY, kong] of [['embedded', true], [undefined, false]] as const) {
      expect(() => chosenGateway({ GATEWAY, PLUGIN_HOST: 'pdk' }, kong)).to.throw(/^PLUGIN_HOST=pdk needs a Kong/);
    }
  });

  it('refuse one port for two programs', () => {
    expect(() => platformSettings(root, { PORTAL_PORT: '8000' })).to.throw('PORTAL_PORT and GATEWAY_HTTP_PORT are both 8000: give each its own port.');
  });

  it('come from .env too, and the environment wins over it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kontor-settings-'));
    try {
      writeFileSync(join(folder, '.env'), 'PORTAL_PORT=9001\nBANK_BIC=ABCDDEFFXXX\n');
      const settings = platformSettings(folder, { PORTAL_PORT: '9002' });
      expect(settings.ports.PORTAL).to.equal(9002);
      expect(settings.BANK_BIC).to.equal('ABCDDEFFXXX');
      expect(settings.home).to.equal(join(folder, '.kontor'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
