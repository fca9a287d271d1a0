/* Swagger UI in the portal: it follows the system's colour scheme, and its curl lines show the gateway's own address. */
const darkScheme = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', darkScheme.matches);
darkScheme.addEventListener('change', followScheme);
followScheme();

/* Names for controls that Swagger UI leaves without one. The script runs deferred: the element is there. */
const NAMES = { 'textarea': 'Request body', '.close-modal': 'Close', '.auth-container input': 'Credential' };
new MutationObserver(() => {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const control of document.querySelectorAll(`#swagger-ui ${selector}:not([aria-label], [id])`)) control.setAttribute('aria-label', name);
  }
}).observe(document.getElementById('swagger-ui'), { childList: true, subtree: true });

/** A plugin of Swagger UI. What is tried here goes through the portal's relay; what is copied must work in a terminal. */
function kontorDocumentation() {
  const { gateway } = document.getElementById('swagger-ui').dataset;
  const relay = `${location.origin}/try`;
  const direct = (request) => request.update('url', (url) => (url.startsWith(relay) ? gateway + url.slice(relay.length) : url));
  return {
    // Of itself it shows no example of XML whose schema is plain text; the contracts have one for each.
    fn: { getXmlSampleSchema: (_schema, _config, example) => (typeof example === 'string' ? example : '') },
    wrapComponents: {
      curl: (Curl, { React }) => (props) => React.createElement(Curl, { ...props, request: direct(props.request) }),
    },
  };
}
