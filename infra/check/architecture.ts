/**
 * The arrows between the rooms of functions/, as README's "How it works" draws them: dependency-cruiser reads the import
 * lines and refuses every other one. `npm run check` fails, too, if no module was cruised at all.
 */
import type { IConfiguration, IRegularForbiddenRuleType } from 'dependency-cruiser';

/** Rooms of functions/ → what they may import of functions/. What has no row is a leaf: it imports nothing of ours. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  '^functions/(queue|webhook)\\.ts$': ['setup', 'source/', 'delivery/', 'deadline'],
  '^functions/setup(\\.ts$|/)': ['(?!queue\\.|webhook\\.)'],
  '^functions/settings(\\.ts$|/)': ['settings/', 'error', 'safe-url', 'relay/headers'],
  '^functions/delivery/': ['delivery/', 'relay/', 'envelope', 'telemetry', 'error', 'deadline', 'queue-url'],
  '^functions/source/': [
    'source/',
    'envelope',
    'warm',
    'pause',
    'deadline',
    'error',
    'safe-url',
    'relay/(headers|adapter/charset)',
  ],
  '^functions/telemetry\\.ts$': ['log', 'metrics'],
  '^functions/log\\.ts$': ['deadline'],
  '^functions/warm\\.ts$': ['deadline'],
  '^functions/deadline\\.ts$': ['error'],
  '^functions/envelope(\\.ts$|/)': ['envelope/', 'error'],
  '^functions/relay/(?!adapter/)': ['relay/', 'error', 'http-time', 'deadline', 'pause'],
  '^functions/relay/adapter/': ['relay/', 'warm', 'error'],
  '^functions/token/': ['token/', 'warm', 'error', 'safe-url', 'http-time', 'deadline', 'pause'],
  '^functions/aws/': ['aws/', 'error'],
  '^functions/http-client\\.ts$': ['error', 'socket-pool', 'expiry'],
};

/** Types cross where values do not: they are gone in the bundle. */
const values = { dependencyTypesNot: ['type-only' as const] };

type Rule = IRegularForbiddenRuleType;
const rule = (name: string, from: Rule['from'], to: Rule['to']): Rule => ({ name, severity: 'error', from, to });

export const architecture: IConfiguration = {
  forbidden: [
    ...Object.entries(ROOMS).map(([path, allowed]) =>
      rule(
        `arrows of ${path}`,
        { path },
        { path: '^functions/', pathNot: allowed.map((room) => `^functions/${room}`), ...values },
      ),
    ),
    rule(
      'a leaf imports nothing of ours',
      { path: '^functions/', pathNot: Object.keys(ROOMS) },
      { path: '^functions/', ...values },
    ),
    rule(
      'only aws/ imports an SDK client',
      { path: '^functions/', pathNot: '^functions/aws/' },
      { path: '@aws-sdk|@smithy' },
    ),
    rule(
      'middy is for the entries',
      { path: '^functions/', pathNot: '^functions/(queue|webhook)\\.ts$' },
      { path: '@middy', ...values },
    ),
    rule('the product does not know what surrounds it', { path: '^functions/' }, { path: '^(infra|test)/' }),
    // One misunderstanding must not pass on both sides: the emulators share no code with the relay.
    rule('the landscape is an independent witness', { path: '^infra/local/' }, { path: '^functions/' }),
    rule('no circles', {}, { circular: true, ...values }),
    rule(
      'what is imported exists',
      { path: '^(functions|infra|test)/', pathNot: '^test/bench/peers/' },
      { couldNotResolve: true },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
