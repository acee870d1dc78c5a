/**
 * The file by which a Node.js process trusts a certificate authority of the landscape, in the one way that needs no
 * line of code: `NODE_EXTRA_CA_CERTS`, read when the process starts. It holds certificates alone, and no key.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAuthority } from './certificates.ts';

export interface TrustFile {
  /** For the environment of a process. */
  readonly variables: { readonly NODE_EXTRA_CA_CERTS: string };
  /** Removes the file and its folder. */
  remove(): Promise<void>;
}

/** Writes it into a new temporary folder. */
export async function writeTrustFile({ caPem }: Pick<CertificateAuthority, 'caPem'>): Promise<TrustFile> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-local-'));
  const path = join(folder, 'ca.pem');
  await writeFile(path, caPem);
  return { variables: { NODE_EXTRA_CA_CERTS: path }, remove: () => rm(folder, { recursive: true }) };
}
