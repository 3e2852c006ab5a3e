"""What codes of the Cloud API mean, and our own words for what keeps a request from it: for operators."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NO_PERMISSION = _("the access token lacks a permission, or the account is not assigned to it")

REASONS: Mapping[str, str | Promise] = {
    **dict.fromkeys(("3", "10", "131005", *map(str, range(200, 300))), NO_PERMISSION),
    "0": _("the access token cannot be read"),
    "33": _("the phone number was deleted"),
    "100": _("the request has a value that it does not accept, or no such phone number is known"),
    "102": _("the access token is not valid any more"),
    "190": _("the access token is refused"),
    "368": _("the account is restricted for a breach of the provider's policy"),
    "130429": _("too many messages at once"),
    "130472": _("the person's number is part of an experiment of the provider's"),
    "131000": _("an error of the provider's own"),
    "131016": _("the provider's service is down for the moment"),
    "131026": _("the number has no WhatsApp, or an old one, or has not accepted its terms"),
    "131031": _("the account is locked"),
    "131037": _("the display name of the number is not approved"),
    "131042": _("there is a problem with the account's payment"),
    "131045": _("the phone number's registration is not complete"),
    "131047": _("more than 24 hours have passed since the person wrote"),
    "131048": _("too many people have reported or blocked this number"),
    "131049": _("the provider held it back so that the person is not written to too often"),
    "131051": _("it does not know this kind of message"),
    "131053": _("the document could not be uploaded"),
    "131056": _("too many messages to this person at once"),
    "133010": _("the phone number is not registered"),
    "access_token_missing": _("the bot has no access token"),
    "phone_number_id_missing": _("the bot has no phone number id"),
    "phone_number_id_wrong": _("the bot's phone number id is none: it has digits only"),
    "invalid_url": _("WHATSAPP_API_URL is no address that can be called"),
    "no_media_id": _("the provider's answer to the upload named no document"),
}
