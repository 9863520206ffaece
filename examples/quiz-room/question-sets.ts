/** The questions that come with it. */

export interface Question {
  readonly text: string;
  readonly answers: readonly [string, string, string, string];
  /** Index of the right answer. */
  readonly right: number;
}

export interface QuestionSet {
  readonly id: string;
  readonly title: string;
  readonly questions: readonly Question[];
}

export const QUESTION_SETS: readonly QuestionSet[] = [
  {
    id: 'mixed',
    title: 'A bit of everything',
    questions: [
      { text: 'Which planet has the shortest day?', answers: ['Mercury', 'Earth', 'Jupiter', 'Mars'], right: 2 },
      { text: 'How many hearts does an octopus have?', answers: ['One', 'Two', 'Three', 'Eight'], right: 2 },
      {
        text: 'Which country has the longest coastline?',
        answers: ['Canada', 'Indonesia', 'Norway', 'Australia'],
        right: 0,
      },
      {
        text: 'What was the first feature film to be animated by computer alone?',
        answers: ['Shrek', 'Toy Story', 'Antz', 'Tron'],
        right: 1,
      },
      {
        text: 'What does a hippopotamus look like from its name?',
        answers: ['A fat dog', 'A sea cow', 'A mud king', 'A river horse'],
        right: 3,
      },
    ],
  },
  {
    id: 'network',
    title: 'Wires and networks',
    questions: [
      {
        text: 'What does a WebSocket begin its life as?',
        answers: ['A DNS query', 'An HTTP request', 'A UDP packet', 'An email'],
        right: 1,
      },
      { text: 'How many bits has an IPv6 address?', answers: ['32', '64', '128', '256'], right: 2 },
      { text: 'Which status code means “I’m a teapot”?', answers: ['402', '418', '451', '508'], right: 1 },
      { text: 'On which port does HTTPS listen by default?', answers: ['443', '80', '22', '8080'], right: 0 },
    ],
  },
  {
    id: 'food',
    title: 'Kitchen and table',
    questions: [
      {
        text: 'From which plant does vanilla come?',
        answers: ['A palm', 'A vine of beans', 'A grass', 'An orchid'],
        right: 3,
      },
      { text: 'Which nut is the heart of marzipan?', answers: ['Almond', 'Hazelnut', 'Walnut', 'Cashew'], right: 0 },
      {
        text: 'Which of these is botanically a berry?',
        answers: ['Strawberry', 'Raspberry', 'Banana', 'Blackberry'],
        right: 2,
      },
      {
        text: 'In which country did croissants begin, as “kipferl”?',
        answers: ['France', 'Austria', 'Italy', 'Switzerland'],
        right: 1,
      },
    ],
  },
];

export const QUESTION_SET_IDS = QUESTION_SETS.map(({ id }) => id);

/** @throws {Error} for a set that there is not: what comes in is checked before. */
export function questionSet(id: string): QuestionSet {
  const set = QUESTION_SETS.find(candidate => candidate.id === id);
  if (set === undefined) throw new Error(`There is no question set ${id}.`);
  return set;
}
