import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { flag, oneOf, port, readSettings, secret, text, url, type Settings } from '@kontor/kernel/config';
import { Fault } from './fault.js';

/** Every program that listens, with the port it has unless `<NAME>_PORT` says otherwise. */
export const PORTS = {
  GATEWAY_HTTP: 8000, GATEWAY_HTTPS: 8443, GATEWAY_ADMIN: 8001, GATEWAY_STATUS: 8100, PORTAL: 8080,
  CUSTOMER: 4001, KYC: 4002, ACCOUNT: 4003, PAYMENT: 4004, CONSENT: 4005, AUDIT: 4006,
  CORE_BANKING: 4101, KYC_PROVIDER: 4102, PAYMENT_RAIL: 4103, WEBHOOKS: 4104,
  CORE_BANKING_SIMULATOR: 4201, KYC_PROVIDER_SIMULATOR: 4202, PAYMENT_RAIL_SIMULATOR: 4203,
} as const;

export type PortName = keyof typeof PORTS;

/** Settings beside the ports; each stands in .env.example. */
export const SPEC = {
  KONTOR_HOME: text({ optional: true, explain: 'directory of data, secrets, certificates and logs; `.kontor` in the checkout when absent' }),
  KONTOR_PACKAGES: text({ optional: true, explain: 'directory of unpacked Debian packages; `.kontor/packages` in the checkout when absent' }),
  GATEWAY: oneOf(['kong', 'embedded'], { optional: true, explain: 'which gateway; Kong when `kong` is on the PATH' }),
  PLUGIN_HOST: oneOf(['lua', 'pdk'], { default: 'lua', explain: 'how Kong runs our plugins: compiled to Lua, or out of process in Node (kong-pdk)' }),
  LOG_LEVEL: oneOf(['error', 'warn', 'info', 'debug'], { default: 'info', explain: 'how much the services write to their logs' }),
  SANDBOX: flag({ default: true, explain: 'simulators, sandbox operations and sandbox apps' }),
  DATABASE_URL: url({ optional: true, explain: 'URL of a PostgreSQL superuser; a private instance is started when absent' }),
  AMQP_URL: url({ optional: true, explain: 'URL of a RabbitMQ; a private instance is started when absent' }),
  REDIS_URL: url({ optional: true, explain: 'URL of a Redis; a private instance is started when absent' }),
  MONGODB_URL: url({ optional: true, explain: 'URL of a MongoDB for access records; PostgreSQL JSONB when absent' }),
  CORE_BANKING_URL: url({ optional: true, explain: 'SOAP endpoint of the core; the simulator is started when absent' }),
  KYC_PROVIDER_URL: url({ optional: true, explain: 'base URL of the identity provider; the simulator is started when absent' }),
  KYC_PROVIDER_API_KEY: secret({ optional: true, explain: 'key the identity provider knows us by; made for the simulator when absent' }),
  RAIL_URL: url({ optional: true, explain: 'base URL of the payment rail; the simulator is started when absent' }),
  RAIL_SHARED_SECRET: secret({ optional: true, explain: 'secret shared with the rail; made for the simulator when absent' }),
  REFERENCE_DIR: text({ optional: true, explain: 'directory of reference data: sanctions/ofac_sdn.csv, sanctions/ofac_alt.csv, iso20022/xsd/*.xsd; ../shared/reference beside the checkout where that is there' }),
  SANCTIONS_FILES: text({ optional: true, explain: 'comma separated CSV files of sanctions lists; those of REFERENCE_DIR when absent, else the fictional one' }),
  ISO20022_XSD_DIR: text({ optional: true, explain: 'directory of ISO 20022 schemas to validate messages against; that of REFERENCE_DIR when absent' }),
  GATEWAY_CERT_FILE: text({ optional: true, explain: 'PEM file with the certificate of the gateway; one of a development authority is made when absent' }),
  GATEWAY_KEY_FILE: text({ optional: true, explain: 'PEM file with the key of that certificate' }),
  GATEWAY_CA_FILE: text({ optional: true, explain: 'PEM file with the authority that signed it' }),
  BANK_BIC: text({ default: 'KONTDEFFXXX', explain: 'BIC of the bank' }),
};

export type PlatformSettings = Settings<typeof SPEC> & {
  root: string;
  /** Absolute directory of everything this installation keeps. */
  home: string;
  packages: string;
  ports: Record<PortName, number>;
  /** The environment with the file `.env` below it, for what a service is told as it stands. */
  given: Readonly<Record<string, string | undefined>>;
};

/** The settings of the launcher, from the environment and, below it, the file `.env`. @throws SettingsError naming every fault. */
export function platformSettings(root: string, env: NodeJS.ProcessEnv = process.env): PlatformSettings {
  const merged = { ...dotEnv(root), ...env };
  const portSpec = Object.fromEntries(Object.entries(PORTS).map(([name, fallback]) => [`${name}_PORT`, port({ default: fallback, explain: 'TCP port on 127.0.0.1' })]));
  const values = readSettings({ ...SPEC, ...portSpec }, merged) as Settings<typeof SPEC> & Record<string, unknown>;
  const ports = Object.fromEntries(Object.keys(PORTS).map((name) => [name, values[`${name}_PORT`] as number])) as Record<PortName, number>;
  const taken = new Map<number, string>();
  for (const [name, value] of Object.entries(ports)) {
    const other = taken.get(value);
    if (other) throw new Fault(`${name}_PORT and ${other} are both ${value}: give each its own port.`);
    taken.set(value, `${name}_PORT`);
  }
  return {
    ...values, ...referenceData(root, values), root, ports, given: merged,
    home: resolve(root, values.KONTOR_HOME ?? '.kontor'),
    packages: resolve(root, values.KONTOR_PACKAGES ?? '.kontor/packages'),
  };
}

/** The certificate that was given, or undefined. @throws Fault when it was given in part */
export function givenTls({ root, GATEWAY_CERT_FILE, GATEWAY_KEY_FILE, GATEWAY_CA_FILE }: PlatformSettings): { certificate: string; key: string; authority: string } | undefined {
  if (!GATEWAY_CERT_FILE && !GATEWAY_KEY_FILE && !GATEWAY_CA_FILE) return undefined;
  if (!GATEWAY_CERT_FILE || !GATEWAY_KEY_FILE || !GATEWAY_CA_FILE) throw new Fault('GATEWAY_CERT_FILE, GATEWAY_KEY_FILE and GATEWAY_CA_FILE belong together: set all three, or none.');
  return { certificate: resolve(root, GATEWAY_CERT_FILE), key: resolve(root, GATEWAY_KEY_FILE), authority: resolve(root, GATEWAY_CA_FILE) };
}

/** The lists and schemas no setting names, from the reference data where there is any. */
function referenceData(root: string, { REFERENCE_DIR, SANCTIONS_FILES, ISO20022_XSD_DIR }: Settings<typeof SPEC>): { SANCTIONS_FILES?: string; ISO20022_XSD_DIR?: string } {
  const directory = resolve(root, REFERENCE_DIR ?? '../shared/reference');
  const lists = ['ofac_sdn.csv', 'ofac_alt.csv'].map((name) => join(directory, 'sanctions', name));
  const schemas = join(directory, 'iso20022/xsd');
  return {
    SANCTIONS_FILES: SANCTIONS_FILES ?? (lists.every((file) => existsSync(file)) ? lists.join(',') : undefined),
    ISO20022_XSD_DIR: ISO20022_XSD_DIR ?? (existsSync(schemas) ? schemas : undefined),
  };
}

/** What the file `.env` of the checkout says. */
export function dotEnv(root: string): NodeJS.ProcessEnv {
  const path = join(root, '.env');
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) as NodeJS.ProcessEnv : {};
}
