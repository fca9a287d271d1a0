/** src/openapi.generated.ts of every contract: its paths, schemas and operations as TypeScript types. */
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import type { Contract } from './contracts.js';

/** The types of one contract as TypeScript text. */
export async function contractTypes(contract: Contract): Promise<string> {
  // openapi-typescript resolves references in place, so it gets a copy of its own.
  const nodes = await openapiTS(structuredClone(contract.document) as unknown as OpenAPI3, { silent: true });
  return `// Derived from openapi.yaml by \`npm run generate\`. Do not edit.\n\n${astToString(nodes)}`;
}
