/** Order among Kong's plugins; problem-json comes last so that it sees what every other one made of the answer. */
export const priorities = {
  'consent-check': 905,
  'bian-mapping': 904,
  'gateway-identity': 903,
  'problem-json': 1,
};
