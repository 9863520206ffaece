/** Checks of what the SDK itself reads from payloads: any service may publish any frame, well-formed or not. */
import {
  isPlainObject,
  type MembershipChange,
  type RoomCount,
  type RoomInfo,
  type Sender,
  type StatusChange,
} from '@hubbub/protocol';
import type { Welcome } from './frames.js';

export function isWelcome(payload: unknown): payload is Welcome {
  return (
    isPlainObject(payload) &&
    typeof payload.session_id === 'string' &&
    isSender(payload.user) &&
    Array.isArray(payload.rooms) &&
    isPlainObject(payload.limits)
  );
}

export function isRoomInfo(payload: unknown): payload is RoomInfo {
  return isRoomCount(payload) && 'users' in payload && Array.isArray(payload.users) && payload.users.every(isSender);
}

export function isMembershipChange(payload: unknown): payload is MembershipChange {
  return isRoomCount(payload) && isStatusChange(payload);
}

export function isStatusChange(payload: unknown): payload is StatusChange {
  return isPlainObject(payload) && isSender(payload.user) && isNumber(payload.version);
}

export function isRoomCount(payload: unknown): payload is RoomCount {
  return isPlainObject(payload) && isNumber(payload.count) && isNumber(payload.version);
}

function isSender(value: unknown): value is Sender {
  return isPlainObject(value) && typeof value.id === 'string' && typeof value.name === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
