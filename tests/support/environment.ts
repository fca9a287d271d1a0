/** The address of a real PostgreSQL, RabbitMQ or Redis for tests. */
export type TestServer = 'TEST_DATABASE_URL' | 'TEST_AMQP_URL' | 'TEST_REDIS_URL';

/** Reads the address of a test server. @throws Error that says how to get one. */
export function testServer(name: TestServer): string {
  const address = process.env[name];
  if (!address) throw new Error(`${name} is not set: run the tests with \`npm test\`, which starts private servers, or give the address of one`);
  return address;
}
