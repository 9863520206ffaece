/** Schemas of clients' messages: the payloads of client events and the bodies of requests. */
import { z } from 'zod';
import { QUESTION_SET_IDS } from './question-sets.js';

const CHEERS = ['👏', '🎉', '😂', '😮', '❤️'];

/** Made by the page and remembered there; a retry of a request with it gets the same seat. */
const pass = z.string().regex(/^[0-9a-f]{32}$/);
const name = z.string().max(200);
const set = z.enum(QUESTION_SET_IDS);
const round = z.int().min(1);
const step = { round, question: z.int().min(0).max(100) };

export const newRoomRequest = z.strictObject({ name, pass, set });
export const joinRequest = z.strictObject({ name, pass });
export const tokenRequest = z.strictObject({ pass });
export const roomPath = z.object({ code: z.string().max(32) });

export const answerPayload = z.object({ ...step, choice: z.int().min(0).max(3) });
export const stepPayload = z.object(step);
export const endPayload = z.object({ round });
export const againPayload = z.object({ round, set });
export const cheerPayload = z.object({ emoji: z.enum(CHEERS) });
