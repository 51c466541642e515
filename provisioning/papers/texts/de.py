"""German: the therapist's card and the client's."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # -- the therapist's card -----------------------------------------------------------------------------------------
    "therapist.title": "Die Box in Ihrem Raum",
    "therapist.order": "Die Klientin oder der Klient drückt CONSENT, dann drücken Sie RECORD. Mehr ist nicht zu "
    "merken.",
    "therapist.faces": "Was Sie sehen",
    "therapist.faces.how": "Oben das breite Raumlicht; darunter links die Lampe bei CONSENT, rechts die bei RECORD. "
    "Der "
    "Streifen neben einer Lampe zeigt vier Sekunden von ihr.",
    "face.idle": "Bereit",
    "face.idle.do": "Nichts ist offen, nichts wird aufgenommen.",
    "face.choosing_sound": "Mehrere wählen: Ton",
    "face.choosing_sound.do": "Nacheinander; die kleinste Wahl gilt.",
    "face.choosing_sound_and_picture": "Mehrere wählen: Ton und Bild",
    "face.choosing_sound_and_picture.do": "Nacheinander; die kleinste Wahl gilt.",
    "face.armed_sound": "Ton ist erlaubt",
    "face.armed_sound.do": "Binnen {armed_s} Sekunden RECORD drücken. Noch wird nichts aufgenommen.",
    "face.armed_sound_and_picture": "Ton und Bild sind erlaubt",
    "face.armed_sound_and_picture.do": "Ebenso. RECORD halten: erst durch die Kamera sehen.",
    "face.armed_scant": "Ton; für ein Bild ist kein Platz",
    "face.armed_scant.do": "Mit Ton weitermachen. Der Technik Bescheid geben.",
    "face.framing": "Die Seite zeigt, was die Kamera sieht",
    "face.framing.do": "Nichts wird gespeichert, das Mikrofon ist zu. RECORD beginnt.",
    "face.recording": "Die Aufnahme läuft, alles ist gut",
    "face.recording.do": "Nur das Raumlicht. RECORD beendet.",
    "face.troubled": "Die Aufnahme läuft, aber etwas fehlt",
    "face.troubled.do": "Sie geht weiter. Die Seite sagt, was fehlt.",
    "face.sealing": "Beendet, wird versiegelt",
    "face.sealing.do": "Nichts zu tun.",
    "face.sealed": "Versiegelt: sie ist sicher",
    "face.sealed.do": "{white_s} Sekunden lang. Die Nächsten können sofort wählen.",
    "face.withdrawn": "Zurückgezogen",
    "face.withdrawn.do": "Binnen {window_min} Minuten gelöscht, außer CONSENT wird noch einmal gehalten.",
    "face.refused": "Sie kann nicht aufnehmen",
    "face.refused.do": "{refused_s} Sekunden lang: noch hat es niemand erlaubt. Länger: die Seite sagt, warum.",
    "face.unsynced": "Bereit; aber Aufnahmen warten hier zu lange",
    "face.unsynced.do": "Aufnehmen wie immer. Der Technik Bescheid geben.",
    "therapist.tones": "Was Sie hören",
    "tone.tick": "eine von mehreren hat gewählt",
    "tone.one rising tick": "die Wahl ist gehört",
    "tone.four ticks": "Blick durch die Kamera",
    "tone.two short tones": "sie nimmt auf",
    "tone.two low tones": "anders als gedacht: hinsehen",
    "tone.one long tone": "versiegelt, sicher",
    "tone.three falling tones": "zurückgezogen",
    "tone.three low tones": "nein: es geht nicht",
    "therapist.buttons": "Was die Knöpfe tun",
    "button.consent": "CONSENT, kurz",
    "button.consent.do": "Ton, Ton und Bild, nichts; in der Aufnahme: sofort zurückgezogen",
    "button.consent_hold": "CONSENT, {consent_hold_s} s",
    "button.consent_hold.do": "bis {window_min} Minuten nach einer Aufnahme: löschen, oder doch behalten",
    "button.record": "RECORD, kurz",
    "button.record.do": "beginnt, wenn es erlaubt ist; beendet, während sie läuft",
    "button.record_hold": "RECORD, {record_hold_s} s",
    "button.record_hold.do": "während der Aufnahme: ein Lesezeichen. Davor, mit Bild: durch die Kamera sehen",
    "button.both": "beide zugleich",
    "button.both.do": "beendet; die Aufnahme wird behalten",
    # -- the client's card --------------------------------------------------------------------------------------------
    "client.title": "Sie entscheiden, ob wir aufnehmen",
    "client.intro": "Bei {clinic} kann eine kleine Box eine Sitzung aufnehmen. Sie tut es nur, wenn Sie es erlauben.",
    "client.yours": "Jedes Mal neu",
    "client.yours.1": "Sie erlauben es mit dem Knopf CONSENT: einmal drücken für Ton, zweimal für Ton und Bild, "
    "dreimal für "
    "nichts. Das gilt für diese eine Sitzung. Ohne Ihren Druck kann niemand eine Aufnahme beginnen.",
    "client.no": "Sie dürfen Nein sagen",
    "client.no.1": "Dann wird nichts aufgenommen, und Sie haben keinen Nachteil: Ihre Behandlung bleibt dieselbe. Sie "
    "müssen "
    "nicht sagen, warum.",
    "client.what": "Was aufgenommen wird",
    "client.what.1": "Bei Ton das, was im Raum zu hören ist; die Kamera bleibt aus. Bei Ton und Bild auch, was die "
    "Kamera "
    "sieht. Das breite Licht brennt, solange Mikrofon oder Kamera an sind, und nur dann.",
    "client.who": "Wer sie öffnen kann",
    "client.who.private-first": "Wer Sie behandelt.",
    "client.who.supervised": "Wer Sie behandelt, und wer diese Person supervidiert.",
    "client.who.recovery": "Geht ein Schlüssel verloren: Menschen, die die Klinik bestimmt hat, nur mehrere gemeinsam.",
    "client.who.not": "Sonst niemand. Die Box selbst kann es nicht, auch nicht, wer die Computer betreut, und kein "
    "Dieb.",
    "client.keeps": "Wie lange",
    "client.keeps.days": "Die Box löscht ihre Kopie {days} Tage nachdem der Server der Klinik eine hat.",
    "client.keeps.day": "Die Box löscht ihre Kopie einen Tag nachdem der Server der Klinik eine hat.",
    "client.keeps.at_once": "Die Box löscht ihre Kopie, sobald der Server der Klinik eine hat.",
    "client.keeps.for_ever": "Die Box behält ihre Kopie, bis jemand sie löschen lässt.",
    "client.keeps.clinic": "Wie lange die Klinik ihre eigene behält, sagen wir Ihnen auf Wunsch.",
    "client.stop": "Sie können sofort aufhören",
    "client.stop.1": "Drücken Sie CONSENT während der Aufnahme: Mikrofon und Kamera gehen sofort aus, und die "
    "Aufnahme wird "
    "gelöscht.",
    "client.window": "Auch noch {window_min} Minuten danach",
    "client.window.1": "Halten Sie CONSENT {consent_hold_s} Sekunden lang gedrückt, und sie wird gelöscht. Halten Sie "
    "es in "
    "dieser Zeit noch einmal, und sie bleibt.",
    "client.later": "Und später",
    "client.later.days": "Bis {days} Tage nach der Sitzung können Sie uns bitten, sie zu löschen.",
    "client.later.day": "Bis zum Tag nach der Sitzung können Sie uns bitten, sie zu löschen.",
    "client.later.same_day": "Bis zum Ende des Tages der Sitzung können Sie uns bitten, sie zu löschen.",
    "client.later.always": "Sie können uns jederzeit bitten, sie zu löschen.",
    "client.later.1": "Wir löschen sie dann auf der Box und auf unserem Server. Was bleibt, ist ein Vermerk, dass es "
    "eine "
    "Aufnahme gab, und wann.",
    "client.copy": "Eine Kopie für Sie",
    "client.copy.1": "Bitten Sie uns darum. Sie ist mit Wörtern verschlossen, die nur Sie bekommen.",
    "client.notes": "Was sonst festgehalten wird",
    "client.notes.1": "Wann es war, wie lange, wie laut, und was Sie erlaubt haben. Ihren Namen kennt die Box nicht.",
    "client.sees.sound": "Sie erlauben Ton.",
    "client.sees.picture": "Sie erlauben Ton und Bild.",
    "client.sees.recording": "Es wird aufgenommen.",
    "client.foot": "Karte {version} · {clinic} · SHA-256 ihres Textes: {digest}",
}
