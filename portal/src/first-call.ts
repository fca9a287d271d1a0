/** The first call as lines for a terminal: POSIX shell, curl and sed, nothing to install. */

export interface FirstCallNeeds {
  /** The gateway as a developer's machine reaches it, https. */
  gatewayUrl: string;
  /** Where the development certificate authority can be had; absent where the certificate is publicly trusted. */
  caUrl: string | undefined;
  /** Body of registerCustomer, from its contract. */
  example: unknown;
}

export interface FirstCall {
  credentials: string;
  token: string;
  register: string;
}

const CA_FILE = 'kontor-ca.pem';

/** @param credentials what to put in; placeholders to fill in when absent */
export function firstCall({ gatewayUrl, caUrl, example }: FirstCallNeeds, credentials?: { clientId: string; clientSecret: string }): FirstCall {
  const gateway = gatewayUrl.replace(/\/$/, '');
  const curl = caUrl ? `curl -sS --cacert ${CA_FILE}` : 'curl -sS';
  const fetchCa = caUrl ? [`curl -sS -o ${CA_FILE} ${caUrl}`] : [];
  return {
    credentials: [`CLIENT_ID=${quoted(credentials?.clientId ?? 'your client id')}`, `CLIENT_SECRET=${quoted(credentials?.clientSecret ?? 'your client secret')}`].join('\n'),
    token: [
      ...fetchCa,
      `TOKEN=$(${curl} ${gateway}/oauth2/token -u "$CLIENT_ID:$CLIENT_SECRET" \\`,
      '  -d grant_type=client_credentials -d scope=customers \\',
      '  | sed -E \'s/.*"access_token": *"([^"]+)".*/\\1/\')',
    ].join('\n'),
    register: [
      `${curl} -i ${gateway}/v1/customers \\`,
      '  -H "Authorization: Bearer $TOKEN" \\',
      '  -H "Content-Type: application/json" -H "Idempotency-Key: first-call" \\',
      `  -d ${quoted(JSON.stringify(example ?? {}))}`,
    ].join('\n'),
  };
}

/** As one word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replace(/'/g, String.raw`'\''`)}'`;
