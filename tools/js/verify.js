// Verifies deliveries with somebody else's library. stdin: {library, deliveries: [{secret, headers, body}]};
// stdout: for each, a line "accepted" or why not.
const { library, deliveries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { Webhook } = require(library);
for (const { secret, headers, body } of deliveries) {
  try {
    new Webhook(secret).verify(body, headers);
    console.log("accepted");
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
