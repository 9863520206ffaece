/** Chat, as people use it: pages on two edges that show the same messages. */
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { addRoom, enter, fillName, inRoom, publish, say, session, signIn, texts } from './chat-people.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('chat');
}, EXAMPLE_TIMEOUT_MS);

describe('pages', () => {
  test('talk: a message is at the other edge, the own one once and sent; who answers quotes', async () => {
    const room = await addRoom(example, 'Talk');
    const ada = await enter(example, 'Ada', 0, room);
    const bob = await enter(example, 'Bob', 1, room);
    await say(ada, 'Hello <b>Bob</b>');
    await bob.waitForSelector('text=Hello <b>Bob</b>');
    await ada.waitForSelector('.message.own.sent');
    expect(await texts(ada)).toEqual(['Hello <b>Bob</b>']);

    await bob.press('#text', 'ArrowUp'); // To the newest message,
    await bob.keyboard.press('r'); // and answers it.
    await bob.keyboard.type('line one');
    await bob.keyboard.press('Shift+Enter');
    await bob.keyboard.type('line two');
    await bob.keyboard.press('Enter');
    const answer = ada.locator('.message', { hasText: 'line one\nline two' });
    await answer.waitFor();
    expect(await answer.locator('.quote').textContent()).toContain('Hello <b>Bob</b>');
    await answer.locator('.quote').click();
    expect(await ada.evaluate(() => document.activeElement?.textContent)).toContain('Hello <b>Bob</b>');
  });

  test('show typists, until the text is sent or given up, and who is here', async () => {
    const room = await addRoom(example, 'Typing');
    const ada = await enter(example, 'Ada', 0, room);
    const bob = await enter(example, 'Bob', 1, room);
    await ada.waitForSelector('#roster li:has-text("Bob")');
    expect(await ada.textContent('#people-title')).toBe('In this room: 2');

    await bob.type('#text', 'I th');
    await ada.waitForSelector('#typing:has-text("Bob is typing")');
    await bob.fill('#text', '');
    await ada.waitForSelector('#typing:empty', { state: 'attached' });
    await bob.click('#leave');
    await ada.waitForSelector('#people-title:has-text("In this room: 1")');
    await ada.waitForSelector('#online:has-text("online")');
  });

  test('a reload shows earlier messages; messages in another room are unread', async () => {
    const [room, other] = [await addRoom(example, 'Reload'), await addRoom(example, 'Other')];
    const ada = await enter(example, 'Ada', 0, room);
    const bob = await enter(example, 'Bob', 1, room);
    for (const text of ['one', 'two', 'three']) await say(bob, text);
    await ada.waitForSelector('.text:text-is("three")');
    await ada.click(`[data-room="${other}"]`);
    await inRoom(ada, other);
    await say(bob, 'four');
    const unread = ada.locator(`[data-room="${room}"] .unread`);
    await unread.waitFor();
    expect(await unread.textContent()).toMatch(/^1/);

    await ada.reload();
    await inRoom(ada, other);
    await unread.waitFor(); // Not even that is forgotten.
    await ada.click(`[data-room="${room}"]`);
    await ada.waitForSelector('.divider.new');
    expect(await texts(ada)).toEqual(['one', 'two', 'three', 'four']);
    await unread.waitFor({ state: 'detached' });
  });

  test('older messages come page by page, also where somebody answers one of them', async () => {
    const room = await addRoom(example, 'Archive');
    await publish(example, room, 120);
    const bob = await session(example, 'Bob', 1);
    await bob.join(room);
    await bob.ask({ type: 'send_message', room, payload: { content: 'as you said', reply_to: 'n7' } });
    const ada = await enter(example, 'Ada', 0, room);
    await ada.waitForSelector('.text:text-is("as you said")');
    expect((await texts(ada))[0]).toBe('number 72');
    await ada.click('#earlier');
    await ada.waitForSelector('.text:text-is("number 22")', { state: 'attached' });
    await ada.click('.quote');
    await ada.waitForSelector('.message.flash .text:text-is("number 7")');
    expect(await texts(ada)).toHaveLength(121);
    await ada.waitForSelector('#earlier', { state: 'hidden' });
  });

  test('make http addresses clickable, and leave all other text as text', async () => {
    const room = await addRoom(example, 'Links');
    const ada = await enter(example, 'Ada', 0, room);
    const text =
      '<img src=x onerror=alert(1)> javascript:alert(2) (see https://example.com/a?b=c&d="e"). http://x.test,';
    await say(ada, text);
    await ada.waitForSelector('.message.sent');
    expect(await texts(ada)).toEqual([text]);
    const links = await ada
      .locator('.text a')
      .evaluateAll(all => all.map(link => ['href', 'target', 'rel'].map(name => link.getAttribute(name))));
    const elsewhere = ['_blank', 'noopener noreferrer nofollow'];
    expect(links).toEqual([
      ['https://example.com/a?b=c&d="e"', ...elsewhere],
      ['http://x.test', ...elsewhere],
    ]);
    expect(await ada.locator('.text > :not(a)').count()).toBe(0);
  });

  test('show who is online as soon as they see them in a room, also while the service counts fewer', async () => {
    const room = await addRoom(example, 'Online');
    const page = await example.openPage(`/#${room}`);
    await page.route('**/ws/online', route => route.fulfill({ json: { online: 0 } }));
    await enter(example, 'Bob', 1, room);
    const badges: (string | null)[] = [];
    await page.exposeFunction('noteOnline', (text: string) => badges.push(text));
    await page.evaluate(() => {
      const note = () => {
        const text = document.querySelector('#online')?.textContent;
        if (text) (window as unknown as { noteOnline(text: string): void }).noteOnline(text);
      };
      new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await signIn(page, 'Ada', room);
    await page.waitForSelector('#online:text-is("2 online")');
    expect(badges).not.toContain('0 online');
  });

  test('keep the newest message in view when the keyboard of a phone opens', async () => {
    const room = await addRoom(example, 'Phone');
    await publish(example, room, 40);
    const context = { viewport: { width: 390, height: 844 }, isMobile: true };
    const page = await example.openPage(`/#${room}`, { context });
    await signIn(page, 'Ada', room);
    await page.waitForSelector('.text:text-is("number 40")');
    const bottomOf = async (selector: string) => {
      const box = await page.locator(selector).last().boundingBox();
      return (box?.y ?? Number.NaN) + (box?.height ?? 0);
    };
    const visible = async (height: number) =>
      (await bottomOf('.composer')) <= height && (await bottomOf('.message')) <= (await bottomOf('.composer'));
    await eventually(() => visible(844), { describe: 'the newest message is above the composer' });

    // As on Android: the layout shrinks.
    await page.setViewportSize({ width: 390, height: 460 });
    await eventually(() => visible(460), { describe: 'they are visible in a smaller layout' });
    await page.setViewportSize({ width: 390, height: 844 });
    await eventually(async () => (await bottomOf('.composer')) > 800, { describe: 'the composer is at the bottom' });
    // As on iOS: the layout stays as it is, and the keyboard covers its lower part.
    await page.evaluate(() => {
      Object.defineProperty(visualViewport, 'height', { value: 420, configurable: true });
      visualViewport?.dispatchEvent(new Event('resize'));
    });
    await eventually(() => visible(420), { describe: 'composer and newest message are above the keyboard' });
  });

  test('explain an unknown room, create it, and enter it when somebody else creates it', async () => {
    const page = await example.openPage('/#chat:book-club');
    await fillName(page, 'Ada');
    await page.waitForSelector('h2:text-is("There is no such room")');
    expect(await page.locator('.toast').count()).toBe(0);
    await page.click('text=Create “book club”');
    await inRoom(page, 'chat:book-club');

    for (const wrong of ['elsewhere:room', '%']) {
      await page.evaluate(hash => location.assign(`#${hash}`), wrong);
      await page.waitForSelector(`h2:text-is("There is no such room") ~ p:has-text("${wrong}")`);
      expect(await page.locator('text=Create').count()).toBe(0);
    }
    await page.evaluate(() => location.assign('#chat:later'));
    await page.waitForSelector('button:has-text("Create “later”")');
    await addRoom(example, 'Later');
    await inRoom(page, 'chat:later');
    await page.evaluate(() => location.assign('#chat:nowhere'));
    await page.click('text=Go to General');
    await inRoom(page, 'chat:general');
  });
});
