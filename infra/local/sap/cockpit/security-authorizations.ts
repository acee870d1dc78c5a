/**
 * The cockpit's "Security Authorizations" of an account: which user has which role on which subscription, step 2 of
 * SAP's guide "OAuth Client Credentials Grant". Whether the subscription exists is for `account.ts`.
 */

/** A row of the cockpit's "Security Authorizations". */
export interface RoleAssignment {
  /** `oauth_client_<client ID>` for an OAuth client. */
  readonly user: string;
  /** `ESBMessaging.send`, or a role of one's own. */
  readonly role: string;
  readonly subscription: string;
}

export interface SecurityAuthorizations {
  /** Twice is the same as once. Throws an Error when the role is empty. */
  assign(assignment: RoleAssignment): void;
  /** Throws an Error when there is no such row. */
  unassign(assignment: RoleAssignment): void;
  has(assignment: RoleAssignment): boolean;
  /** Every role of the user on the subscription, in the order of assignment. */
  roles(user: string, subscription: string): readonly string[];
}

/** No rows yet. */
export function createSecurityAuthorizations(): SecurityAuthorizations {
  const rows: RoleAssignment[] = [];

  const position = (wanted: RoleAssignment): number =>
    rows.findIndex(
      ({ user, role, subscription }) =>
        user === wanted.user && role === wanted.role && subscription === wanted.subscription,
    );

  return {
    assign: (assignment) => {
      if (assignment.role === '') throw new Error('role: must not be empty');
      if (position(assignment) < 0) rows.push({ ...assignment });
    },
    unassign: (assignment) => {
      const index = position(assignment);
      if (index < 0)
        throw new Error(`role: ${assignment.user} has no ${assignment.role} on ${assignment.subscription}`);
      rows.splice(index, 1);
    },
    has: (assignment) => position(assignment) >= 0,
    roles: (user, subscription) =>
      rows.filter((row) => row.user === user && row.subscription === subscription).map(({ role }) => role),
  };
}
