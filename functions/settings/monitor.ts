/**
 * The page in SAP's own monitor that shows one message. Its host is not the runtime's, so that it is a setting of its
 * own.
 *
 * @param monitor host of the tenant's monitor
 * @see SAP's OData API, `MessageProcessingLogs`, field `AlternateWebLink`, which has this form
 */
export function mplLink(monitor: string, mplId: string): string {
  // Elsewhere, as on Neo (`<tenant>-tmn.…`), the monitor stands behind the web application's own path.
  const path = /\.integrationsuite[.-]/.test(monitor) ? '/shell' : '/itspaces/shell';
  return `https://${monitor}${path}/monitoring/Messages/${encodeURIComponent(JSON.stringify({ identifier: mplId }))}`;
}
