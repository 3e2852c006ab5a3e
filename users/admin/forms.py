"""The admin's forms about people: a number may be typed in any usual spelling, and a password may be left out."""

import re
from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm, UserChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from config.desk.dollar_field import DollarField
from users.errors import LastOwner
from users.models import Identity, User, keep_an_owner
from users.number_lock import lock_numbers
from users.phone import MAX_TEXT, InvalidPhoneNumber, read_number
from users.roles import Role


class PhoneNumberField(forms.CharField):
    """Reads any spelling of a phone number as E.164, and a blank one as None."""

    def __init__(self, **kwargs: Any) -> None:
        # The column's 16 characters hold the normalised number, not what people type.
        widget = UnfoldAdminTextInputWidget()
        super().__init__(**{**kwargs, "max_length": MAX_TEXT, "empty_value": None, "widget": widget})
        self.widget.input_type = "tel"

    def clean(self, value: Any) -> str | None:
        """Return the number as E.164."""
        text = super().clean(value)
        try:
            return None if text is None else read_number(text)
        except InvalidPhoneNumber as error:
            raise ValidationError(str(error), code="invalid") from None


class UniqueNumberMixin(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses a number that somebody has already, in an equivalent spelling too."""

    def clean_phone_number(self) -> str | None:
        """Return the number when nobody else has it."""
        number: str | None = self.cleaned_data["phone_number"]
        if number and number != self.initial.get("phone_number"):
            lock_numbers(alone=True)
            others = User.objects.exclude(pk=self.instance.pk)
            owner = others.find_by_phone_number(number)
            if owner is not None:
                raise ValidationError(_("This is already the phone number of %(name)s."), params={"name": owner})
            holder = others.holder_of("", number)
            if holder is not None:
                raise ValidationError(_("This is already an address of %(name)s."), params={"name": holder})
        return number


class IdentityForm(forms.ModelForm):  # type: ignore[type-arg]
    """Links an address to a person, unless somebody else has it: as an identity, or as their phone number."""

    class Meta:
        model = Identity
        fields = ("channel", "address")

    def clean_address(self) -> str:
        """Return the address; a number that is written with its + as channels write it."""
        address: str = self.cleaned_data["address"].strip()
        if not address.startswith("+"):
            return address
        try:
            return read_number(address)
        except InvalidPhoneNumber as error:
            raise ValidationError(str(error), code="invalid") from None

    def clean(self) -> dict[str, Any] | None:
        """Refuse an address that somebody else has, in any spelling; a number on any channel."""
        data = super().clean()
        channel, address = self.cleaned_data.get("channel"), self.cleaned_data.get("address")
        if channel and address and self.has_changed():
            lock_numbers(alone=True)
            holder = User.objects.exclude(pk=self.instance.user_id).holder_of(channel, address)
            if holder is not None:
                taken = _("This address belongs to somebody already: %(name)s.")
                self.add_error("address", ValidationError(taken, params={"name": holder}, code="taken"))
        return data


class PersonChangeForm(UniqueNumberMixin, UserChangeForm):
    """Edits a person."""

    phone_number = PhoneNumberField(label=_("Phone number"), required=False)
    daily_budget_micros = DollarField(
        label=_("Daily budget"),
        required=False,
        help_text=_(
            "In dollars, such as 0.50: what the answers to this person may cost in a day, with all bots together. "
            "Empty: what the bot allows each person, else USER_DAILY_BUDGET_USD. 0: no answers that cost anything."
        ),
    )

    def clean_role(self) -> str:
        """Return the role; the last owner stays one."""
        role: str = self.cleaned_data["role"]
        if role != Role.OWNER:
            try:
                with transaction.atomic():
                    keep_an_owner([self.instance.pk])
            except LastOwner as error:
                raise ValidationError(str(error), code="last_owner") from None
        return role

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 (the admin's fieldsets choose)


class PersonCreationForm(UniqueNumberMixin, BaseUserCreationForm):  # type: ignore[type-arg]
    """Adds a person. Who only chats needs no password."""

    phone_number = PhoneNumberField(label=_("Phone number"), required=False)
    password1 = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Only for those who sign in to the admin. Empty: they can only chat."),
    )
    password2 = forms.CharField(
        label=_("Password confirmation"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("phone_number", "name", "role", "is_whitelisted")

    def clean(self) -> dict[str, Any] | None:
        """Refuse a person whom no channel could name."""
        data = super().clean()
        if "phone_number" in self.cleaned_data and not self.cleaned_data["phone_number"] and not self._has_address():
            reason = _("Enter a phone number, or an address below: nobody could write as this person.")
            self.add_error("phone_number", ValidationError(reason, code="unreachable"))
        return data

    def _has_address(self) -> bool:
        """Return whether an address is entered in the same request, in the rows below the form."""
        rows = re.compile(r"identities-[0-9]+-address")
        return any(rows.fullmatch(name) and str(self.data.get(name, "")).strip() for name in self.data)

    def validate_passwords(self, *args: Any, **kwargs: Any) -> None:
        """Require the same password twice, or none twice."""
        if self.cleaned_data.get("password1", "") != self.cleaned_data.get("password2", ""):
            self.add_error(
                "password2", ValidationError(self.error_messages["password_mismatch"], code="password_mismatch")
            )

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        """Set the password, an unusable one when none was given."""
        user.set_password(self.cleaned_data["password1"] or None)
        if commit:
            user.save()
        return user


class PhoneLoginForm(AuthenticationForm):
    """Signs in with a phone number in any spelling."""

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # The base class limits what is typed to the 16 characters that are stored.
        number = self.fields["username"]
        number.max_length = MAX_TEXT
        number.widget.attrs["maxlength"] = MAX_TEXT
        number.widget.input_type = "tel"
