/**
 * The arrows between the rooms of functions/: dependency-cruiser reads the import lines, those of types too, and refuses
 * every one that has no place here. Rooms stand from the top down and import downwards alone, so no two can know each
 * other. `npm run check` fails, too, if no module was cruised at all.
 */
import type { IConfiguration, IRegularForbiddenRuleType } from 'dependency-cruiser';

/** Room → what it may import of functions/ beside itself. `error` and `untrusted` are for everyone. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'queue/': ['environment', 'relay/', 'settings/', 'telemetry/', 'message/', 'aws/', 'http/', 'deadline'],
  'webhook/': ['environment', 'relay/', 'settings/', 'telemetry/', 'message/', 'aws/', 'warm/', 'http/', 'deadline'],
  environment: ['relay/', 'token/', 'settings/', 'telemetry/', 'aws/', 'warm/', 'http/', 'deadline'],
  'relay/': ['token/', 'settings/', 'telemetry/', 'message/', 'warm/', 'http/', 'deadline'],
  'token/': ['settings/', 'aws/', 'warm/', 'http/', 'deadline'],
  'settings/': ['http/'],
  'telemetry/': ['deadline'],
  'message/': ['aws/', 'http/'],
  'aws/': ['http/'],
  'warm/': ['deadline'],
  'http/': [],
  deadline: [],
  error: [],
  untrusted: [],
};

const names = Object.keys(ROOMS);
for (const [room, allowed] of Object.entries(ROOMS)) {
  const upwards = allowed.filter((other) => names.indexOf(other) <= names.indexOf(room));
  if (upwards.length > 0) throw new Error(`${room} stands below ${upwards.join(', ')}: an arrow would run up`);
}

/** Types cross in a circle where values do not: they are gone in the bundle. */
const values = { dependencyTypesNot: ['type-only' as const] };

type Rule = IRegularForbiddenRuleType;
const rule = (name: string, from: Rule['from'], to: Rule['to']): Rule => ({ name, severity: 'error', from, to });
const pathOf = (room: string) => `^functions/${room.endsWith('/') ? room : `${room}\\.ts$`}`;

export const architecture: IConfiguration = {
  forbidden: [
    ...Object.entries(ROOMS).map(([room, allowed]) =>
      rule(
        `arrows of ${room}`,
        { path: pathOf(room) },
        { path: '^functions/', pathNot: [room, 'error', 'untrusted', ...allowed].map(pathOf) },
      ),
    ),
    rule('every file is in a room that has a row', { path: '^functions/', pathNot: names.map(pathOf) }, {}),
    rule(
      'only aws/ imports an SDK client',
      { path: '^functions/', pathNot: '^functions/aws/' },
      { path: '@aws-sdk|@smithy' },
    ),
    rule(
      'middy is for the entries',
      { path: '^functions/', pathNot: '^functions/(queue/queue|webhook/webhook)\\.ts$' },
      { path: '@middy', ...values },
    ),
    rule('the product does not know what surrounds it', { path: '^functions/' }, { path: '^(infra|test)/' }),
    rule('a tool does not know a test', { path: '^infra/' }, { path: '^test/' }),
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
