/** Files of questions in the formats of SQuAD 2.0 and HotpotQA, written for these tests: questions about jars on shelves. */

const colours = ["red", "green", "amber", "white", "violet", "silver"] as const;
const rooms = ["cellar", "attic", "kitchen", "barn"] as const;

const sentence = (colour: string, room: string) => `The ${colour} jar of the ${room} holds ${colour} ${room} jam`;
const question = (colour: string, room: string) => `What does the ${colour} jar of the ${room} hold?`;

/** An article for each room, a paragraph for each jar; every other paragraph has a question without an answer too. */
export const squadFile = JSON.stringify({
  version: "v2.0",
  data: rooms.map((room) => ({
    title: room,
    paragraphs: colours.map((colour, i) => {
      const context = `${sentence(colour, room)}. It was put there in the autumn, beside the others, and nobody has opened it since.`;
      const answer = { text: `${colour} ${room} jam`, answer_start: context.indexOf(`${colour} ${room} jam`) };
      const known = { id: `${room}-${i}`, question: question(colour, room), is_impossible: false };
      const unknown = {
        id: `${room}-${i}-no`,
        question: `Who opened the ${colour} jar?`,
        is_impossible: true,
        answers: [],
      };
      return { context, qas: [...(i % 2 ? [unknown] : []), { ...known, answers: [answer, answer] }] };
    }),
  })),
});

/** Each question comes with two documents: the jar's and another room's. */
export const hotpotFile = JSON.stringify(
  rooms.flatMap((room, k) =>
    colours.map((colour, i) => ({
      _id: `${room}-${i}`,
      question: question(colour, room),
      answer: `${colour} ${room} jam`,
      type: "bridge",
      level: "easy",
      supporting_facts: [[`${colour} ${room}`, 0]],
      context: [
        [`${colour} ${room}`, [`${sentence(colour, room)}.`, " It has been there for years."]],
        [
          `${colour} ${rooms[(k + 1) % 4]}`,
          [`${sentence(colour, rooms[(k + 1) % 4] ?? "")}.`, " It has been there for years."],
        ],
      ],
    })),
  ),
);
