/** The payloads of the service's frames, and checks of them. */
import type { Payload, Sender } from '@hubbub/client';

export interface Message {
  readonly message_id: string;
  readonly author: Sender;
  readonly text: string;
  readonly at: string;
  readonly edited_at?: string;
}

export interface Task {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
}

export interface Notification {
  readonly notification_id: string;
  readonly text: string;
  readonly chat_id?: string;
  readonly at: string;
  readonly read?: boolean;
}

export function isMessage(payload: Payload | undefined): payload is Payload & Message {
  const author = payload?.author;
  return has(payload, 'message_id', 'text', 'at') && typeof author === 'object' && author !== null && 'name' in author;
}

export function isTask(payload: Payload | undefined): payload is Payload & Task {
  return has(payload, 'task_id', 'title', 'status');
}

export function isNotification(payload: Payload | undefined): payload is Payload & Notification {
  return has(payload, 'notification_id', 'text', 'at');
}

export function has(payload: Payload | undefined, ...names: string[]): boolean {
  return names.every(name => typeof payload?.[name] === 'string');
}
