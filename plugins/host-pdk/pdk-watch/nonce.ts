/** 16 random bytes in hexadecimal, others each time nginx is asked for its request id. (`var` is no name in TypeScript, hence the look-up.) */
export function newNonce(): string {
  const variables = (ngx as unknown as Record<string, NginxVariables>)['var'] as NginxVariables;
  return variables.request_id;
}
