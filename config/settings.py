"""The settings file as a whole."""

from typing import Annotated

from config.agents import Agent
from config.api import ApiTable, LogTable
from config.base import Name, Table, matching
from config.codes import CodesTable, InCallTable
from config.conferences import Conference
from config.extensions import Extension
from config.features import Door, EmergencyTable, ParkTable, RecordingTable, TransferTable
from config.groups import Group, Page, Pickup
from config.lines import ClassOfService, Destination, Line
from config.media import MediaTable
from config.menus import Menu
from config.modes import OTHERWISE, Mode
from config.queues import Queue
from config.rules import Lookup, Rule
from config.sip import GuardTable, HepTable, SipTable
from config.sound import Music, PromptEntry, SpeechTable
from config.switch import LimitsTable, RecordsTable, SwitchTable
from config.trunks import Site, Trunk
from config.voicemail import Box, MailTable, VoicemailTable

ExtensionNumber = Annotated[
    str,
    matching(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", "an extension: digits, or a name without spaces"),
]
LineNumber = Annotated[str, matching(r"\+?[0-9A-Za-z._-]{1,40}", "a number that the world dials")]


class Settings(Table):
    """Everything an administrator may set.  Immutable: a reload makes a new one."""

    switch: SwitchTable = SwitchTable()
    limits: LimitsTable = LimitsTable()
    records: RecordsTable = RecordsTable()
    log: LogTable = LogTable()
    sip: SipTable = SipTable()
    guard: GuardTable = GuardTable()
    hep: HepTable | None = None
    media: MediaTable = MediaTable()
    api: ApiTable = ApiTable()
    extensions: dict[ExtensionNumber, Extension] = {}
    agents: dict[Name, Agent] = {}
    queues: dict[Name, Queue] = {}
    groups: dict[Name, Group] = {}
    conferences: dict[Name, Conference] = {}
    menus: dict[Name, Menu] = {}
    trunks: dict[Name, Trunk] = {}
    lines: dict[LineNumber, Line] = {}
    modes: dict[Name, Mode] = {}
    rules: tuple[Rule, ...] = ()
    lookups: dict[Name, Lookup] = {}
    classes: dict[Name, ClassOfService] = {}
    destinations: dict[Name, Destination] = {}
    sites: dict[Name, Site] = {}
    voicemail: VoicemailTable = VoicemailTable()
    boxes: dict[Name, Box] = {}
    mail: MailTable | None = None
    codes: CodesTable = CodesTable()
    in_call: InCallTable = InCallTable()
    transfer: TransferTable = TransferTable()
    park: ParkTable = ParkTable()
    pickup: dict[Name, Pickup] = {}
    paging: dict[Name, Page] = {}
    doors: dict[Name, Door] = {}
    recording: RecordingTable = RecordingTable()
    emergency: EmergencyTable = EmergencyTable()
    prompts: dict[Name, PromptEntry] = {}
    music: dict[Name, Music] = {}
    speech: SpeechTable = SpeechTable()

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Every mode there is, `night` included, in the order of the file."""
        return tuple(dict.fromkeys([*self.modes, OTHERWISE]))

    def has_box(self, name: str) -> bool:
        """Whether `voicemail:name` leads to a box."""
        extension = self.extensions.get(name)
        return name in self.boxes or (extension is not None and extension.voicemail)
