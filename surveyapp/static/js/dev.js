// Says when something new lies in the mailbox. Without script, reloading the page does the same.
const link = document.querySelector(".news a");
const feed = document.body.dataset.feed;
async function look() {
  if (document.hidden) return;
  const answer = await fetch(feed, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const { messages } = await answer.json();
  if (!messages.length) return;
  link.textContent = messages.length === 1 ? "1 new message. Show it" : `${messages.length} new messages. Show them`;
  link.hidden = false;
}
setInterval(look, 4000);
