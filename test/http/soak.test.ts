/**
 * Many calls, of which a third is answered before it is read, and at the end every socket of the pool is usable. As
 * many as `SOAK_CALLS` says; default 400, for each protocol.
 */
import { Readable } from 'node:stream';
import { setDefaultCACertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpClient, type HttpBody } from '../../functions/http/http.ts';
import { createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { type EarlyAnswer, startServer } from '../../infra/local/server/server.ts';
import { createRandom } from '../doubles/random.ts';
import { post } from './call.ts';

const CALLS = Number(process.env.SOAK_CALLS ?? 400);
const SOCKETS = 10;
const AT_ONCE = 30;
const SMALL_BYTES = 200;
/** More than the buffers of the kernel take: what fits into them looks like a request that was read. */
const LARGE_BYTES = 16_777_216;
const authority = createCertificateAuthority({ keyType: 'ec' });
setDefaultCACertificates([authority.caPem]);

const large = Buffer.alloc(LARGE_BYTES, 'x');
const text = large.toString();

function bodyOf(kind: 'text' | 'bytes' | 'stream', bytes: number): HttpBody {
  const open = () => {
    if (kind === 'text') return text.slice(0, bytes);
    if (kind === 'bytes') return large.subarray(0, bytes);
    const chunks = Array.from({ length: Math.ceil(bytes / 65_536) }, (_, at) =>
      large.subarray(at * 65_536, Math.min(bytes, (at + 1) * 65_536)),
    );
    return Readable.from(chunks);
  };
  return { bytes, open };
}

test.each(['http', 'https'])(
  'every socket is usable after thousands of calls of every kind, over %s',
  { timeout: 60_000 + CALLS * 50 },
  async (protocol) => {
    const random = createRandom(4_711);
    const held: { readonly waiting: (() => void)[]; count: number } = { waiting: [], count: 0 };
    const server = await startServer(
      async ({ path, body }) => {
        if (path === '/held') await new Promise<void>((resolve) => hold(resolve));
        return { status: 200, body: String(body.byteLength) };
      },
      protocol === 'https' ? { tls: authority.serverCertificate() } : {},
    );
    onTestFinished(() => server.stop());
    /** Lets go of all, when each of the pool's sockets has one. */
    const hold = (resolve: () => void) => {
      held.waiting.push(resolve);
      held.count += 1;
      if (held.waiting.length === SOCKETS) for (const next of held.waiting.splice(0)) next();
    };
    for (const body of ['read', 'unread', 'reset'] satisfies EarlyAnswer['body'][]) {
      const early = { status: body === 'read' ? 401 : 413, body: 'early' };
      server.fail({ fault: { early, body }, times: CALLS, when: ({ headers }) => headers['x-early'] === body });
    }

    // Node's TLS goes on writing before it reads: a reset under a large body may take an answer along that nobody has
    // read.
    const largeEnds: EarlyAnswer['body'][] = protocol === 'http' ? ['read', 'unread', 'reset'] : ['read', 'unread'];
    const send = createHttpClient({ maxSockets: SOCKETS });
    const told: Record<string, number> = {};
    let begun = 0;
    async function callOnAndOn(): Promise<void> {
      while (begun < CALLS) {
        begun += 1;
        const isEarly = random.chance(1 / 3);
        const isLarge = random.chance(0.1);
        const bytes = isLarge ? LARGE_BYTES : SMALL_BYTES;
        // What a kernel's buffers take whole, the server must read: RFC 9112 section 9.3 wants that of it, or a close.
        const end = random.pick<EarlyAnswer['body']>(isLarge ? largeEnds : ['read', 'reset']);
        const headers: Record<string, string> = isEarly ? { 'X-Early': end } : {};
        const body = bodyOf(random.pick(['text', 'bytes', 'stream']), bytes);
        const answer = await send(post(`${server.url}/`, { headers, body, timeoutMs: 30_000 }));
        expect(answer.body.toString()).toBe(isEarly ? 'early' : String(bytes));
        told[isEarly ? `early, ${end}` : 'whole'] = (told[isEarly ? `early, ${end}` : 'whole'] ?? 0) + 1;
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, callOnAndOn));

    const last = Array.from({ length: SOCKETS }, () => send(post(`${server.url}/held`)));
    expect((await Promise.all(last)).map(({ status }) => status)).toEqual(Array(SOCKETS).fill(200));
    const early = CALLS - (told.whole ?? 0);
    expect(early / CALLS).toBeGreaterThan(0.25);
    expect(Object.keys(told).sort()).toEqual(['early, read', 'early, reset', 'early, unread', 'whole']);
    if (process.env.SOAK_CALLS !== undefined) console.log(protocol, told);
  },
);
