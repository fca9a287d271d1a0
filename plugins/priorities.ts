/**
 * Order among Kong's plugins. problem-json comes right after correlation-id (100001): a request that Kong ends in the middle of
 * its access phase, as one whose body is malformed, is answered by the plugins it had come to, and no others. token-limit comes
 * before oauth2 (1400), which answers the token endpoint itself; consent-tokens after rate-limiting (910), so that its key cannot be
 * tried without end.
 */
export const priorities = {
  'consent-check': 905,
  'bian-mapping': 904,
  'gateway-identity': 903,
  'problem-json': 100000,
  'token-limit': 1410,
  'consent-tokens': 901,
};
