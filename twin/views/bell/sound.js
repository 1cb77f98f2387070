// The sound of a new alert: two soft tones, made here, so that nothing is loaded.

/** Frequencies, Hz, and how long each sounds, seconds. */
const TONES = [660, 880];
const TONE_S = 0.18;
const LOUDNESS = 0.12;

/** Sound; where the browser does not allow it before somebody has clicked, it stays silent. */
function beep() {
  const context = new AudioContext();
  const ended = () => context.close();
  TONES.forEach((frequency, i) => {
    const from = context.currentTime + i * TONE_S;
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
    gain.gain.linearRampToValueAtTime(0, from + TONE_S);
    gain.connect(context.destination);
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(from);
    tone.stop(from + TONE_S);
    if (i === TONES.length - 1) tone.onended = ended;
  });
}

export { beep };
