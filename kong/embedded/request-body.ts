/** Reading and bounding request bodies. */
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';

/** The body was longer than allowed. */
export class BodyTooLarge extends Error {
  constructor() {
    super('the request body is larger than allowed');
    this.name = 'BodyTooLarge';
  }
}

/** The client went away before its body was whole. */
export class BodyAborted extends Error {
  constructor() {
    super('the client went away');
    this.name = 'BodyAborted';
  }
}

/** Reads a body whole. @throws BodyTooLarge beyond `limit` bytes, BodyAborted when the client goes away. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.removeAllListeners('data');
        request.resume();
        reject(new BodyTooLarge());
      } else {
        chunks.push(chunk);
      }
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('close', () => reject(new BodyAborted()));
    request.once('error', () => reject(new BodyAborted()));
  });
}

/** Passes a body on and fails beyond `limit` bytes, so that a body without a declared length has a bound too. */
export class BoundedBody extends Transform {
  received = 0;

  constructor(private readonly limit: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.received += chunk.length;
    if (this.received > this.limit) done(new BodyTooLarge());
    else done(null, chunk);
  }
}

/** Whether the request has a body at all (RFC 9112 §6.3). */
export function hasBody(headers: Record<string, string>): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
