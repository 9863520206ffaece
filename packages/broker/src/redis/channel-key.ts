/**
 * The name of a key beside a channel: with the channel's hash tag, so that one script can write it and publish. A channel
 * without braces, such as that of the broadcast, becomes the tag itself, behind the prefix of all keys.
 *
 * @example channelKey('hubbub:room:{general}', 'kept') === 'hubbub:room:{general}:kept'
 * @example channelKey('hubbub:broadcast', 'kept') === 'hubbub:{hubbub:broadcast}:kept'
 */
export function channelKey(channel: string, name: string): string {
  if (channel.includes('{')) return `${channel}:${name}`;
  return `${channel.slice(0, channel.lastIndexOf(':') + 1)}{${channel}}:${name}`;
}
