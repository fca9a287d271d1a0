/** What a client may know without asking: where to send customers (`GET /authorize`), and the authorisation server's metadata (RFC 8414). */
import { Router } from 'express';

export interface Metadata {
  /** Where the bank's pages are, as a browser sees them. */
  pagesUrl: string;
  /** The gateway's OAuth2 address as a client sees it, `…/oauth2`. */
  oauth2Url: string;
  documentationUrl?: string;
}

/** RFC 8414 §2. Introspection is the bank's own and not named. */
export function metadataOf({ pagesUrl, oauth2Url, documentationUrl }: Metadata): Record<string, unknown> {
  const issuer = new URL(oauth2Url).origin;
  return {
    issuer,
    authorization_endpoint: `${new URL(pagesUrl).origin}/authorize`,
    token_endpoint: `${oauth2Url}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    scopes_supported: ['accounts', 'payments', 'funds', 'consents', 'customers', 'kyc', 'webhooks'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: false,
    ui_locales_supported: ['en', 'de'],
    ...(documentationUrl ? { service_documentation: documentationUrl } : {}),
  };
}

export function metadataRoutes(metadata: Metadata): Router {
  const router = Router();
  router.get('/.well-known/oauth-authorization-server', (_request, response) => {
    response.set('Cache-Control', 'public, max-age=3600').json(metadataOf(metadata));
  });
  router.get('/authorize', (request, response) => {
    const at = request.originalUrl.indexOf('?');
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).redirect(303, `${metadata.pagesUrl}/authorise${at < 0 ? '' : request.originalUrl.slice(at)}`);
  });
  return router;
}
