/** S3 of the local landscape: the fauxqs package, of which nothing else is used, bound to loopback. */
import { buildApp } from 'fauxqs';

export interface S3 {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startS3(): Promise<S3> {
  // Its own startFauxqs listens on every interface.
  const app = buildApp({ logger: false, host: '127.0.0.1' });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url,
    stop: async () => {
      await app.close();
    },
  };
}
