/**
 * What the daemon says, for whoever looks on from inside the process: every answer and every notification as it is sent.
 * Costs nothing while nobody listens. The tests hold what passes here against the schemas.
 */
import { channel } from 'node:diagnostics_channel';
import type { NotificationName, Notifications } from '#protocol/notifications.ts';
import { formatNotification } from '#protocol/rpc.ts';

/** Messages are `{method, result}`. */
export const ANSWERS = channel('callsheet:answer');
/** Messages are `{name, params}`. */
export const NOTICES = channel('callsheet:notification');

/** The frame of a notification. */
export function tell<N extends NotificationName>(name: N, params: Notifications[N]): string {
  if (NOTICES.hasSubscribers) NOTICES.publish({ name, params });
  return formatNotification(name, params);
}
