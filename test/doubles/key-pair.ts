/** RSA keys are slow to make: servers take them from here in turn, and two servers of one test never have the same. */
import { generateKeyPairSync } from 'node:crypto';
import type { KeyPair } from '../../infra/local/sap/authorization-server/signing-keys.ts';

const keyPairs: KeyPair[] = [];
let taken = 0;

export function generateKeyPair(): KeyPair {
  const index = taken++ % 8;
  keyPairs[index] ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return keyPairs[index];
}
