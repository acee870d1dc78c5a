/**
 * Which route of an API a request takes, and what stands in its path variables.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */

export interface Route {
  readonly methods: 'ANY' | readonly string[];
  /** `/webhooks/{destination}`, with `{name+}` for all that is left, or `$default` for what nothing else takes. */
  readonly path: string;
  /** The gateway lets through what a known identity has signed. Default: everything. */
  readonly authorization?: 'AWS_IAM';
}

export interface RouteMatch {
  /** `POST /webhooks/{destination}`, `ANY /webhooks/{destination}`, `$default`. */
  readonly routeKey: string;
  /** The route's path, as written. */
  readonly resource: string;
  /** As they stand in `path`. Undefined: the route has none. */
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
  readonly isSigned: boolean;
}

/** The most specific route: fixed segments before variables, variables before `{name+}`, a method before `ANY`. */
export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch | undefined {
  let best: { match: RouteMatch; rank: string } | undefined;
  for (const route of routes) {
    if (route.methods !== 'ANY' && !route.methods.includes(method)) continue;
    const parameters = matchPath(route.path, path);
    if (parameters === undefined) continue;
    const isDefault = route.path === '$default';
    const rank = `${isDefault ? '9' : rankOf(route.path)}${route.methods === 'ANY' ? '1' : '0'}`;
    if (best !== undefined && best.rank <= rank) continue;
    best = {
      rank,
      match: {
        routeKey: isDefault ? '$default' : `${route.methods === 'ANY' ? 'ANY' : method} ${route.path}`,
        resource: route.path,
        pathParameters: Object.keys(parameters).length === 0 ? undefined : parameters,
        isSigned: route.authorization === 'AWS_IAM',
      },
    };
  }
  return best?.match;
}

/** A digit for each segment, so that text order is order of specificity. */
function rankOf(template: string): string {
  return segments(template)
    .map((segment) => (isGreedy(segment) ? '2' : isVariable(segment) ? '1' : '0'))
    .join('');
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  if (template === '$default') return {};
  const wanted = segments(template);
  const given = segments(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    if (isGreedy(segment)) {
      const rest = given.slice(index).join('/');
      if (rest === '') return undefined;
      parameters[segment.slice(1, -2)] = rest;
      return parameters;
    }
    const value = given[index];
    if (value === undefined) return undefined;
    if (isVariable(segment)) {
      if (value === '') return undefined;
      parameters[segment.slice(1, -1)] = value;
    } else if (segment !== value) return undefined;
  }
  return given.length === wanted.length ? parameters : undefined;
}

function segments(path: string): readonly string[] {
  return path.replace(/^\//, '').split('/');
}

function isVariable(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}');
}

function isGreedy(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('+}');
}
