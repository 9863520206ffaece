/** The client and the first room of the page, from the query of its address, and the types of the frames that it sent. */
import { HubbubClient } from '@hubbub/client';

const query = new URLSearchParams(location.search);

export const client = new HubbubClient({ url: query.get('url') ?? '', token: query.get('token') ?? '' });
export const firstRoom = query.get('room') ?? '';
const sent: string[] = [];
client.on('frame', ({ direction, frame }) => direction === 'out' && sent.push(frame?.type ?? ''));
Object.assign(window, { client, sent });
